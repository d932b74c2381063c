{{ family_observations('load', regular=true) }}
