import numpy as np
import pytest
from matplotlib.figure import Figure

from workflow_scripts.figures import cluster, style


def stars(n_members: int = 50, colour: bool = True, ra: float = 0.0) -> cluster.Stars:
    rng = np.random.default_rng(1)
    n = 500
    member = np.arange(n) < n_members
    unknown = np.full(n, np.nan)
    return cluster.Stars(
        (ra + rng.normal(0, 0.3, n)) % 360,
        60 + rng.normal(0, 0.2, n),
        np.where(member, rng.normal(-11, 0.2, n), rng.normal(0, 5, n)),
        np.where(member, rng.normal(-3, 0.2, n), rng.normal(0, 5, n)),
        np.where(member, rng.normal(1.15, 0.05, n), rng.normal(0.6, 0.5, n)),
        rng.uniform(8, 20, n) if colour else unknown,
        rng.uniform(0, 3, n) if colour else unknown,
        member.astype(float),
    )


def panels(figure: Figure) -> dict[str, object]:
    return {axes.get_title(loc="left"): axes for axes in figure.axes}


def test_members_are_drawn_over_the_field_in_every_diagram() -> None:
    figure = cluster.draw(stars(), "M67")
    assert figure.get_suptitle() == "M67: 50 members of 500 stars"
    assert set(panels(figure)) == {"Vector points", "Parallaxes", "Colours and magnitudes", "Sky"}
    for name, axes in panels(figure).items():
        if name != "Parallaxes":
            field, members = axes.lines  # type: ignore[attr-defined]
            assert (len(field.get_xdata()), len(members.get_xdata())) == (450, 50)
            assert members.get_color() == style.ORANGE


def test_diagrams_reach_around_the_members_and_point_as_astronomers_do() -> None:
    shown = panels(cluster.draw(stars(), "M67"))
    low, high = shown["Vector points"].get_xlim()  # type: ignore[attr-defined]
    assert low < -12 < -10 < high < -8
    assert shown["Colours and magnitudes"].yaxis_inverted()  # type: ignore[attr-defined]
    assert shown["Sky"].xaxis_inverted()  # type: ignore[attr-defined]


def test_region_without_members_says_so() -> None:
    figure = cluster.draw(stars(0), "Field")
    assert figure.get_suptitle() == "Field: no members, 500 stars"
    assert len(style.png(figure)) > 10_000


def test_stars_without_colours_are_said() -> None:
    axes = panels(cluster.draw(stars(colour=False), "M67"))["Colours and magnitudes"]
    assert [text.get_text() for text in axes.texts] == ["no star has a colour"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("ra", [0.0, 180.0])
def test_sky_is_whole_across_ra_0(ra: float) -> None:
    made = stars(ra=ra)
    east, north = cluster.offsets(made.ra_deg, made.dec_deg, made.members)
    assert np.abs(east).max() < 1
    assert np.abs(north).max() < 1
    assert np.corrcoef(east, (made.ra_deg - ra + 180) % 360)[0, 1] > 0.99


def test_offset_of_one_degree_is_one_degree() -> None:
    east, north = cluster.offsets(
        np.array([10.0, 10.0, 12.0]), np.array([60.0, 61.0, 60.0]), np.array([True, False, False])
    )
    np.testing.assert_allclose(north[:2], [0, np.degrees(np.sin(np.radians(1)))], atol=1e-12)
    assert east[2] == pytest.approx(2 * np.cos(np.radians(60)), abs=1e-3)


def test_reach_by_hand() -> None:
    values = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    everyone = np.ones(5, bool)
    assert cluster.reach(values, everyone, 1.0) == pytest.approx((2 - 6 * 1.4826, 2 + 6 * 1.4826))
    assert cluster.reach(values, everyone, 50.0) == (-48, 52)
    low, high = cluster.reach(values, ~everyone, 1.0)
    assert (low, high) == (pytest.approx(-0.96), pytest.approx(4.96))


def test_same_stars_give_the_same_picture() -> None:
    assert style.png(cluster.draw(stars(), "M67")) == style.png(cluster.draw(stars(), "M67"))
