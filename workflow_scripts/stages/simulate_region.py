"""Stage of rule simulate_region: a SIMULATED region for the demo, which goes through the same cuts as a real one."""

from pathlib import Path

from workflow_scripts import edge
from workflow_scripts.clustering import fields, gaia, simulate
from workflow_scripts.surveys.demo import generator


def main(
    region_file: Path,
    stars: Path,
    left_out: Path,
    cuts: Path,
    wanted: fields.Wanted,
    limits: gaia.Cuts,
    simulated: simulate.Simulated,
    seed: int,
    region: str,
) -> None:
    """Write the region, its stars and what was left out, the same for the same seed and name."""
    place = fields.resolve(region, wanted, simulate.SURVEY, None)
    cone = place.region
    rng = generator(seed, region)
    made = simulate.simulate(
        simulated, rng, cone.centre.ra_deg, cone.centre.dec_deg, cone.radius_deg, place.locus or simulate.LOCUS
    )
    chosen = gaia.select(made, cone, limits)
    fields.write(place, region_file)
    chosen.write(stars, left_out, cuts)


if __name__ == "__main__":
    edge.run(main)
