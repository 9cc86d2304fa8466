"""Why two models differ: each cause is a hypothesis that the numbers are asked."""
