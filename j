{"readers": [
  {"name": "Virtual PCD 00 00", "card": "card",
   "serial": "2216201690649636", "valid_until": "2034-12-31",
   "pins": {
    "auth": {"state": "ok", "tries_left": 3, "tries": 3},
    "sign": {"state": "ok", "tries_left": 5, "tries": 5},
    "juki": {"state": "ok", "tries_left": 3, "tries": 3},
    "input": {"state": "ok", "tries_left": 3, "tries": 3}},
   "certificates": {
    "auth": {"state": "valid", "issuer": "JPKI for user authentication", "ca_key_year": 2024, "valid_from": "2026-11-26T08:21:48Z", "valid_until": "2031-11-26T08:21:48Z", "days_left": 1824},
    "sign": {"state": "hidden", "issuer": null, "ca_key_year": 2024, "valid_from": null, "valid_until": null, "days_left": null}}}]}
