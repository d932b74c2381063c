{{ family_observations('fx') }}
