{{ family_observations('drought') }}
