"""What a survey's plug-in gives to by_id.fetch, for the light-curve service of IRSA."""

from loopback import IRSA_COLUMNS

from workflow_scripts.archives import http
from workflow_scripts.archives.answers import Source
from workflow_scripts.surveys import files


def ztf(url: str, batch: int = 100) -> Source:
    def request(ids):
        parameters = (*(("ID", name) for name in ids), ("FORMAT", "CSV"), ("COLLECTION", "ztf_dr18"))
        return http.Request("IRSA", f"{url}/cgi-bin/ZTF/nph_light_curves", parameters)

    columns = ("oid", "expid", "mjd", "mag", "magerr", "catflags", "filtercode")
    return Source(
        "ZTF",
        request,
        lambda path, _: files.read(path, IRSA_COLUMNS).rows,
        columns,
        "oid",
        ("oid", "expid"),
        batch=batch,
    )
