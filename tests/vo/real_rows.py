"""Real rows under the names that their tables have in the archives, and where the server has them."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from workspace import REAL_DATA

GAIA = [
    *("source_id", "ra", "dec", "parallax", "parallax_error", "pmra", "pmra_error", "pmdec", "pmdec_error"),
    *("phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag"),
]


def rows() -> dict[str, pa.Table]:
    """Real rows under the production names of their tables."""
    text = (REAL_DATA / "gaia_clusters/openclust/clusters.dat").read_text(encoding="latin-1").splitlines()
    macho = pd.read_csv(REAL_DATA / "catalogues/macho_variables.csv.gz")
    asassn = pq.read_table(REAL_DATA / "asassn_gaia/gaia_asassn_crossmatch.parquet").to_pandas()
    southern = pd.read_csv(
        REAL_DATA / "catalogues/drake2017_sss_periodic.txt.gz", sep=r"\s+", header=None, usecols=[0, 2, 3, 4, 8]
    ).set_axis(["SSS", "RAJ2000", "DEJ2000", "Per", "Cl"], axis="columns")
    return {
        "gaiadr3.gaia_source": pq.read_table(REAL_DATA / "gaia_clusters/ngc_2682_dr3.parquet", columns=GAIA),
        "gaiadr2.gaia_source": pq.read_table(REAL_DATA / "gaia_clusters/blanco_1_dr2_g18.parquet", columns=GAIA),
        '"J/MNRAS/469/3688/table4"': pa.Table.from_pandas(southern, preserve_index=False),
        '"II/247/machovar"': pa.table(
            {
                "Field": macho["field"],
                "Tile": macho["tile"],
                "Seqn": macho["seqn"],
                "RAJ2000": np.degrees(macho["rarad"]),
                "DEJ2000": np.degrees(macho["decrad"]),
                "Class": macho["classification"],
                "bPer": macho["period_b"],
            }
        ),
        '"B/ocl/clusters"': pa.table(
            {
                "Cluster": [r[:17].strip() for r in text],
                "RAJ2000": [15 * (int(r[18:20]) + int(r[21:23]) / 60 + int(r[24:26]) / 3600) for r in text],
                "DEJ2000": [
                    int(r[27] + "1") * (int(r[28:30]) + int(r[31:33]) / 60 + int(r[34:36]) / 3600) for r in text
                ],
                "Diam": [float(r[41:47]) if r[41:47].strip() else None for r in text],
            }
        ),
        '"II/366/catv2021"': pa.table(
            {
                "ASASSN-V": asassn["asassn_asassn_id"],
                "RAJ2000": asassn["asassn_ra"],
                "DEJ2000": asassn["asassn_dec"],
                "Type": asassn["asassn_class"],
                "Per": pa.array(asassn["asassn_period_asassn"], from_pandas=True),
                "Prob": pa.array(asassn["asassn_Prob"], from_pandas=True),
                "Vmag": pa.array(asassn["asassn_asassn_mag"], from_pandas=True),
            }
        ),
    }


def place(name: str) -> str:
    """Where the server has a table: under its own name, or below vizier."""
    return name if "/" not in name else "vizier." + "".join(c if c.isalnum() else "_" for c in name.strip('"').lower())
