{{ family_observations('external') }}
