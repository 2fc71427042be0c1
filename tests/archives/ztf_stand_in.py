"""What a survey's plug-in gives to by_id, for the light-curve service of IRSA."""

from loopback import IRSA_COLUMNS

from workflow_scripts.archives import by_id, http
from workflow_scripts.surveys import files


def ztf(url: str, batch: int = 100) -> by_id.Source:
    def request(ids):
        parameters = (*(("ID", name) for name in ids), ("FORMAT", "CSV"), ("COLLECTION", "ztf_dr18"))
        return http.Request("IRSA", f"{url}/cgi-bin/ZTF/nph_light_curves", parameters)

    columns = ("oid", "expid", "mjd", "mag", "magerr", "catflags", "filtercode")
    return by_id.Source(
        "ZTF", request, lambda path: files.read(path, IRSA_COLUMNS).rows, columns, "oid", ("oid", "expid"), batch=batch
    )
