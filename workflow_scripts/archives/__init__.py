"""Transport between the workflow and the public archives; what is asked for is the business of surveys/.

Read in this order: manifest (what counts as downloaded), hosts and retry (how a host is asked), http (one file),
checks and votable (what an answer must hold), query, tap, tap_job and tap_schema (queries), answers and by_id (light
curves by identifier).
"""
