{{ family_observations('lmp', regular=true) }}
