{{ family_observations('weather') }}
