"""Why two models differ: each cause is a hypothesis that is tested on the numbers."""
