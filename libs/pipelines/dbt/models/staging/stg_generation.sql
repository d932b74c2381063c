{{ family_observations('generation', regular=true) }}
