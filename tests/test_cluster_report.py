"""The report of open clusters, from tables made up for the purpose."""

from dataclasses import replace

import pyarrow as pa
import pytest
from report_reader import Reader, column

from workflow_scripts.assumptions import Assumption
from workflow_scripts.clustering import compare, fields, gaia, selection, summary
from workflow_scripts.report import clusters, page
from workflow_scripts.stages.overdensities import OVERDENSITIES

PNG = b"\x89PNG"
PLACE = {
    "survey": "Gaia DR3",
    "release": "DR3",
    "ra_deg": 132.85,
    "dec_deg": 11.8,
    "radial_velocity_km_s": 0.0,
    "radius_deg": 0.3125,
    "inner_deg": 0.2,
    "locus_from": "Dias 2002",
    "pmra_mas_yr": -9.4,
    "pmdec_mas_yr": -4.87,
    "parallax_mas": 1.238,
}
FOUND = {
    "release": "DR3",
    "n_stars": 2405,
    "n_members": 922,
    "sum_probability": 909.4,
    "contamination": 0.015,
    "ra_deg": 132.861,
    "dec_deg": 11.824,
    "pmra_mas_yr": -10.966,
    "pmra_se_mas_yr": 0.007,
    "pmra_dispersion_mas_yr": 0.189,
    "pmra_dispersion_low_mas_yr": 0.184,
    "pmra_dispersion_high_mas_yr": 0.194,
    "pmdec_mas_yr": -2.907,
    "pmdec_se_mas_yr": 0.0073,
    "pmdec_dispersion_mas_yr": 0.198,
    "parallax_mas": 1.156,
    "parallax_se_mas": 0.0015,
    "parallax_dispersion_mas": 0.0241,
    "pm_systematic_mas_yr": 0.026,
    "parallax_systematic_mas": 0.011,
    "parallax_zero_point_mas": -0.017,
    "distance_pc": 852.48,
    "distance_low_pc": 844.49,
    "distance_high_pc": 860.63,
    "r50_deg": 0.1635,
    "r50_low_deg": 0.1581,
    "r50_high_deg": 0.1702,
    "rim_share": 0.0201,
    "g_faintest_mag": 19.94,
    "significance": 46.83,
    "reason": None,
}
SCORE = {"g_limit_mag": 18.0, "n_selected": 658, "n_reference": 604, "n_both": 575}
LITERATURE = {"method": "literature (Dias 2002)", "pmra_mas_yr": -9.4, "pmdec_mas_yr": -4.87, "parallax_mas": 1.238}
OTHER = {"rank": 1, "ra_deg": 132.8505, "dec_deg": 11.8074, "pmra_mas_yr": -10.969, "pmdec_mas_yr": -2.91}


def table(contract, *rows) -> pa.Table:
    return pa.Table.from_pylist([{"cluster": "M67"} | row for row in rows], schema=contract.schema)


def note(method: str, name: str, value: str) -> dict[str, str]:
    return {"method": method, "note": name, "value": value}


@pytest.fixture
def region() -> clusters.Region:
    means = {key: FOUND[key] for key in summary.METHODS.names if key in FOUND}
    scored = {"recall": 0.952, "precision": 0.874, "f1": 0.911}
    return clusters.Region(
        field=table(fields.FIELD, PLACE),
        cuts=table(gaia.CUTS, {"cut": "rows read", "n": 6185}, {"cut": "stars kept", "n": 2405}),
        cluster=table(summary.CLUSTERS, FOUND),
        methods=table(summary.METHODS, LITERATURE, {"method": "membership", "n": 922} | means),
        agreement=table(
            compare.AGREEMENT,
            {"selection": "membership", "reference": "Cantat-Gaudin 2020"} | SCORE | scored,
            {"selection": "DEC", "reference": "Cantat-Gaudin 2020"} | SCORE,
            {"selection": "membership", "reference": "Tarricq, 2022"} | SCORE | scored,
        ),
        notes=table(selection.NOTES, note("DEC", "seeds kept", "20"), note("DEC", "seed 3", "700 stars before")),
        overdensities=table(OVERDENSITIES, OTHER | {"parallax_mas": 1.158, "significance": 47.1, "n_members": 921}),
        diagrams=PNG,
    )


def read(**regions: clusters.Region) -> Reader:
    return Reader(page.render(clusters.page("one", regions, {"seed": 7}, [Assumption("ASSUME", "a.py", 3, "round")])))


def cells(seen: Reader, name: str) -> list[list[str]]:
    return [line for line in seen.tables[name] if any(line)]


def test_first_table_has_every_region_with_its_errors(region):
    seen = read(M67=region, again=region)
    assert [line[0] for line in cells(seen, "clusters")] == ["Region", "M67", "again"]
    assert cells(seen, "clusters")[1] == [
        *("M67", "2,405", "922", "1.5 %", "46.8"),
        *("-10.966 ± 0.007", "-2.907 ± 0.007", "1.156 ± 0.002", "852.5 (844.5 to 860.6)", "0.164"),
    ]
    assert "contains SIMULATED" not in seen.text
    assert seen.images["diagrams_M67"][0].startswith("data:image/png;base64,")


def test_region_says_where_it_is_and_how_its_group_was_chosen(region):
    assert "Gaia DR3, within 0.3125 deg of RA 132.8500, Dec +11.8000 deg." in read(M67=region).text
    assert "nearest to -9.40 and -4.87 mas/yr, 1.238 mas (Dias 2002)" in read(M67=region).text
    assert "0.026 mas/yr and 0.011 mas" in read(M67=region).text
    assert (
        "The members gather around RA 132.861, Dec +11.824 deg. Of the members 2.0 % lie beyond"
        in read(M67=region).text
    )
    assert "the faintest has G = 19.94 (does the file end there?). Systematic errors" in read(M67=region).text
    unknown = PLACE | {"pmra_mas_yr": None, "pmdec_mas_yr": None, "parallax_mas": None, "locus_from": "none"}
    text = read(M67=replace(region, field=table(fields.FIELD, unknown))).text
    assert "most concentrated on the sky" in text


MOTION = {"parallax_mas": None, "locus_from": "Dias 2002, motion only"}
DISTANCE = {"pmra_mas_yr": None, "pmdec_mas_yr": None, "locus_from": "Dias 2002, distance only"}
UNKNOWN = MOTION | DISTANCE | {"locus_from": "none"}


@pytest.mark.parametrize(
    ("changes", "rule", "warned"),
    [
        (
            MOTION,
            "Of the cluster's place only the motion (-9.40 and -4.87 mas/yr) is known: its group is the one that is "
            "most concentrated on the sky, of those near to that if any are.",
            "Dias 2002, motion only: -9.40 and -4.87 mas/yr. Another cluster of like motion would be taken for the "
            "one that is meant: see whether the members' parallax can be its, or give locus.",
        ),
        (
            DISTANCE,
            "Of the cluster's place only the parallax (1.238 mas) is known: its group is the one that is "
            "most concentrated on the sky, of those near to that if any are.",
            "Dias 2002, distance only: 1.238 mas. Another cluster as far away would be taken for the one that is "
            "meant: see whether the members' motion can be its, or give locus.",
        ),
        (UNKNOWN, "Nothing is known of the cluster's motion and distance: its group is the one most", None),
        ({}, "The cluster's group is the one nearest to -9.40 and -4.87 mas/yr, 1.238 mas (Dias 2002)", None),
    ],
)
def test_half_a_locus_is_said_and_warned_of(region, changes, rule, warned):
    half = replace(region, field=table(fields.FIELD, PLACE | changes))
    assert list(clusters.warnings(half)) == ([warned] if warned else [])
    assert rule in read(M67=half).text


def test_methods_stand_in_the_papers_layout_and_what_is_unknown_is_left_open(region):
    lines = {line[0]: line[1:] for line in cells(read(M67=region), "methods_M67")}
    assert lines["literature (Dias 2002)"] == ["...", "-9.400", "...", "-4.870", "...", "1.238", "..."]
    assert lines["membership"] == [
        *("922", "-10.966 ± 0.007", "0.189 (0.184 to 0.194)", "-2.907 ± 0.007", "0.198", "1.156 ± 0.002", "0.0241")
    ]


def test_every_list_judges_in_a_table_of_its_own(region):
    seen = read(M67=region)
    assert cells(seen, "agreement_M67_1")[1:] == [
        ["membership", "658", "575", "0.952", "0.874", "0.911"],
        ["DEC", "658", "575", "...", "...", "..."],
    ]
    assert column(seen, "agreement_M67_2", "F1") == {"membership": "0.911"}
    assert "Judged by Tarricq, 2022: 604 stars" in seen.captions["agreement_M67_2"]


def judged(region: clusters.Region, **changes: object) -> clusters.Region:
    row = {"selection": "membership", "reference": "X 2020", "recall": 0.5, "precision": 0.5, "f1": 0.5}
    return replace(region, agreement=table(compare.AGREEMENT, row | SCORE | changes))


def test_list_without_a_star_in_the_region_judges_nothing_and_is_warned_of(region):
    unknown = dict.fromkeys(("recall", "precision", "f1"), None)
    bare = judged(region, n_reference=0, n_both=0, **unknown)
    assert list(clusters.warnings(bare)) == [
        "X 2020: no star of the list is in the region to G = 18: it judges nothing. Is it of this cluster?"
    ]
    assert cells(read(M67=bare), "agreement_M67_1")[1] == ["membership", "658", "0", "...", "...", "..."]


def test_limit_is_none_where_no_star_has_a_magnitude(region):
    caption = read(M67=judged(region, g_limit_mag=None)).captions["agreement_M67_1"]
    assert "604 stars of the list lie in the region, of any magnitude, as no star of it has one." in caption


def test_details_leave_single_seeds_to_the_table_of_notes(region):
    seen = read(M67=region)
    assert cells(seen, "cuts_M67")[1:] == [["rows read", "6,185"], ["stars kept", "2,405"]]
    assert cells(seen, "notes_M67")[1:] == [["DEC", "seeds kept", "20"]]
    assert cells(seen, "overdensities_M67")[1][:4] == ["1", "47.1", "921", "132.8505"]
    assert column(seen, "assumptions", "Text") == {"assumption": "round"}
    assert "seed: 7" in seen.text


def test_region_without_anything_to_say_against_it_has_no_warning(region):
    assert list(clusters.warnings(region)) == []


@pytest.mark.parametrize(
    ("said", "warning"),
    [
        (note("DEC", "judged by X", "WORSE than K-Means: F1 0.860 against 0.888"), "DEC, judged by X: WORSE than"),
        (note("DEC", "judged by X", "not worse than K-Means: F1 0.9 against 0.8"), None),
        (note("DEC", "few seeds", "2 of 2 kept"), "DEC, few seeds: 2 of 2 kept."),
        (note("DEC", "no cluster", "no seed is kept"), "DEC, no cluster: no seed is kept."),
        (note("DEC", "seed 12", "LEFT OUT, autoencoder: loss nan"), "DEC, seed 12: LEFT OUT, autoencoder: loss nan."),
        (note("K-Means, silhouette", "edge", "lower"), "the best number of groups is the lower end"),
        (note("K-Means, silhouette", "edge", "none"), None),
        (note("membership", "errors", "not deconvolved: no star has them"), "membership: errors not deconvolved"),
        (note("membership", "errors", "deconvolved"), None),
        (note("membership", "stars_with_median_errors", "121"), "errors of 5.0 % of the stars are missing"),  # of 2,405
        (note("membership", "stars_with_median_errors", "120"), None),
    ],
)
def test_what_the_reader_must_know_stands_out(region, said, warning):
    spoken = list(clusters.warnings(replace(region, notes=table(selection.NOTES, said))))
    assert len(spoken) == (warning is not None)
    assert all(warning in text for text in spoken)


def test_another_cluster_of_the_blind_search_is_warned_of(region):
    same = OTHER | {"parallax_mas": 1.158, "significance": 47.1, "n_members": 921}
    other = same | {"rank": 2, "ra_deg": 132.6, "dec_deg": -1.5, "pmra_mas_yr": 6.024, "n_members": 200}
    two = replace(region, overdensities=table(OVERDENSITIES, same, other))
    said = (
        "The blind search finds a cluster of 200 stars (47.1 sigma) at RA 132.6000, Dec -1.5000 deg that the members "
        "are not of; if it is the one that is meant, give locus: [6.024, -2.910, 1.158]."
    )
    assert list(clusters.warnings(two)) == [said]
    assert said in read(M67=two).text
    nothing = FOUND | dict.fromkeys(summary.METHODS.names[3:], None) | {"n_members": 0, "reason": "too few stars"}
    missed = replace(region, cluster=table(summary.CLUSTERS, nothing))
    first, second = clusters.warnings(missed)
    assert first == "No cluster: too few stars."
    assert second.startswith("The blind search finds a cluster of 921 stars")


@pytest.mark.parametrize(
    ("f1", "n", "warned"), [("0", 200, True), ("0.0994", 200, True), ("0.1", 200, False), ("0", 0, False)]
)
def test_method_that_found_another_group_is_warned_of(region, f1, n, warned):
    said = table(selection.NOTES, note("K-Means", "F1 with the final members", f1))
    counted = table(summary.METHODS, {"method": "K-Means", "n": n}, {"method": "membership", "n": 922})
    spoken = list(clusters.warnings(replace(region, notes=said, methods=counted)))
    assert (
        spoken == [f"K-Means: F1 {float(f1):.3f} with the members: its group is another, or mostly the field."] * warned
    )
    without = FOUND | {"n_members": 0, "reason": "too few stars"}
    empty = replace(region, notes=said, methods=counted, cluster=table(summary.CLUSTERS, without))
    assert not [text for text in clusters.warnings(empty) if text.startswith("K-Means")]


def test_field_without_a_cluster_says_so_and_why(region):
    missing = dict.fromkeys(
        (key for key in FOUND if key.startswith(("ra_", "dec_", "pmra", "pmdec", "distance", "r50", "rim", "g_"))), None
    )
    nothing = FOUND | missing | {"parallax_mas": None, "n_members": 0, "contamination": None, "reason": "too few stars"}
    bare = replace(
        region,
        cluster=table(summary.CLUSTERS, nothing),
        agreement=table(compare.AGREEMENT),
        overdensities=table(OVERDENSITIES),
    )
    seen = read(empty=bare)
    assert "No cluster: too few stars." in seen.text
    assert "gather around RA" not in seen.text
    assert "of the cone's radius" not in seen.text
    assert cells(seen, "clusters")[1] == ["empty", "2,405", "0", "...", "46.8", *["..."] * 5]
    assert "agreement_empty_1" not in seen.tables


@pytest.mark.parametrize(("n", "warned"), [(0, False), (1202, False), (1203, True), (2405, True)])
@pytest.mark.parametrize("name", ["ruwe", "g_mag"])
def test_cut_that_could_judge_less_than_half_of_the_stars_is_warned_of(region, name, n, warned):
    rows = [("rows read", 6185), (f"{name} of 14 or above", 0), (f"without {name}, kept", n), ("stars kept", 2405)]
    cut = replace(region, cuts=table(gaia.CUTS, *({"cut": cut, "n": number} for cut, number in rows)))
    said = f"{n:,} of 2,405 stars have no {name}: clusters.cuts.max_{name} could not judge them, and they are kept."
    assert list(clusters.warnings(cut)) == [said] * warned
    assert [f"without {name}, kept", f"{n:,}"] in cells(read(M67=cut), "cuts_M67")


@pytest.mark.parametrize(
    ("value", "warned"),
    [
        ("ra, dec; PMemb of 0.5 or above", False),
        ("ra, dec; no column of probabilities: all rows count", False),
        ("ra, dec; no column of probabilities: all rows count; NOT USED: ['p_m']; if one is", True),
    ],
)
def test_list_whose_probabilities_may_have_been_overlooked_is_warned_of(region, value, warned):
    told = replace(region, notes=table(selection.NOTES, note("CG 2020", "columns", value)))
    assert list(clusters.warnings(told)) == [f"CG 2020, columns: {value}."] * warned
    assert ["CG 2020", "columns", value] in cells(read(M67=told), "notes_M67")


def test_cluster_that_may_be_another_is_doubted_first(region):
    doubted = replace(region, cluster=table(summary.CLUSTERS, FOUND | {"doubt": "FAR from the locus of Dias 2002"}))
    assert list(clusters.warnings(doubted)) == ["FAR from the locus of Dias 2002."]
    assert "FAR from the locus of Dias 2002." in read(M67=doubted).text
    assert column(read(M67=doubted), "clusters", "Members") == {"M67": "922, doubted"}


def test_depth_that_the_errors_make_is_warned_of_and_the_caption_tells_what_it_is(region):
    deep = {"parallax_dispersion_low_mas": 0.0233, "errors_deconvolved": True}
    seen = read(M67=replace(region, cluster=table(summary.CLUSTERS, FOUND | deep)))
    assert "It is an upper limit of the depth, no depth" in seen.text
    assert "That of the parallaxes is an upper limit of the depth" in seen.captions["methods_M67"]
    assert "Those of the motions have the depth in them" in seen.captions["methods_M67"]


def test_cone_that_cuts_the_cluster_is_warned_of(region):
    seen = read(M67=replace(region, cluster=table(summary.CLUSTERS, FOUND | {"rim_share": 0.0994})))
    assert "The cone cuts the cluster: 9.9 % of the members lie beyond 0.9 of its radius." in seen.text


@pytest.mark.parametrize(("radius", "velocity", "warned"), [(2.0, 0.0, True), (2.0, 39.4, False), (1.0, 0.0, False)])
def test_wide_cone_without_a_radial_velocity_is_warned_of(region, radius, velocity, warned):
    place = PLACE | {"radius_deg": radius, "radial_velocity_km_s": velocity}
    spoken = list(clusters.warnings(replace(region, field=table(fields.FIELD, place))))
    assert bool(spoken) == warned
    assert all("Give radial_velocity_km_s" in text for text in spoken)


@pytest.mark.parametrize(
    ("ends", "text"),
    [((9000.0, 25000.0, None), "25000.0 (9000.0 to ...)"), ((50000.0, None, None), "...")],
)
def test_distance_that_may_be_any_is_open_at_its_end(region, ends, text):
    limits = dict(zip(("distance_low_pc", "distance_pc", "distance_high_pc"), ends, strict=True))
    distant = replace(region, cluster=table(summary.CLUSTERS, FOUND | limits))
    assert cells(read(M67=distant), "clusters")[1][8] == text


def test_simulated_stars_are_named_first(region):
    made_up = replace(region, field=table(fields.FIELD, PLACE | {"survey": "demo region (SIMULATED)"}))
    seen = read(M67=region, cone=made_up)
    assert "This run contains SIMULATED stars: cone." in seen.text
