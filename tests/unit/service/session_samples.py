"""Public keys, and tokens that the private ones signed once; those were thrown away."""

from __future__ import annotations

PUBLIC_KEYS = {
    "RS256": """\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0/SIEBHlg58CuPj76iDr
Ftgu9i9J5oKmqrXT2d+4AxGwsi7+znGqRG2Sni7/KbbeZk5dh/42GVmTXS1OmpM7
fMSgW6OVvvOpnZetNlofcTsaffT2+dav7Hk0fwcCghNvNTQMamUrjIGNFBZU+rCw
mQqzPeHefW9n5I8n0SL42WfmLqKjj74RdX2g3uFQ0ySoMHS02bjBQ7zZhvvk8hAM
rkTkoMpCHJi7AQapfgA95WDsfhoil9zfMBMnFDIZwnje/IswdMf0as/ZxPwEO1kK
V4DdbPYoVFT/TcRaOvaaI+GaJTh7NANRHQKPHf+uaX3+hX+Lg0DaxtJBSP2W/nLW
4QIDAQAB
-----END PUBLIC KEY-----
""",
    "ES256": """\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEmQbFrhjVHyNKrdIZZksgNBS8bLBz
XQSpfg2aR26g5qaZdKxRqJNlAaL7QAoRepl57MODCBnRxJbSM4rcm+SouQ==
-----END PUBLIC KEY-----
""",
    "EdDSA": """\
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAzlodTcVloxSM99FoeeNeF6Uin7EKHKbAHnJeqrd2uM0=
-----END PUBLIC KEY-----
""",
}

WEAK_KEY = """\
-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDB6g4NiE0HhBwXi7IsBqFVhDev
GphV8IdhN+B4Kw0uNKn5YUjLX/W5fZWPlKP7AubTMpOvl9PdbAVQAVBuVb5xqCP2
Wd+5TR3ncKGOq60h+MFZRBkEEuwAWSxBgPWgKya70dUrgydg9YxC9p+vTHmuU02F
3vmCuHk+y46Xd5eOlwIDAQAB
-----END PUBLIC KEY-----
"""
"""RSA with 1024 bits."""

TOKENS = {
    "RS256": (
        "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJDVVNULTEwMDEiLCJwbGFuIjoiZ29sZCIsImlzcyI6I"
        "mh0dHBzOi8vc2hvcC5leGFtcGxlIiwiYXVkIjoiaW50ZXJsb2NrIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjQxMDI"
        "0NDQ4MDB9.Vlu1hryFjPG6N_xF7YnSGKJTi2nq3G2VRcCiF6Pnz2bTcxNimLLRVimbkpM1ilBGy8mnYZNqLGaXrb8m"
        "s8DzTHFSkzrHCI86D640Ka3W2KJCUCYmZBCiM3VzgAVjIeWHvzzOgkS4fZ29WKXzhLwiCc_11WO5iO7Z9CPyznV6EE"
        "I_hoE_d2L8MJPfrG--ESHiEtwws_pQ73m-8FVuNySIU-uumHQ8kw-GmkhgKR1izbjV9qQmOWGP2vwyTivgsEjlYNBl"
        "dKqo_ToFvDMZIdDD0XT4-wetv5krKU78B0uP01qEJ2YRY04CVcB9LIsGWVV6-UDDRORvW5wL_Sjw2TqHSA"
    ),
    "ES256": (
        "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJDVVNULTEwMDEiLCJwbGFuIjoiZ29sZCIsImlzcyI6I"
        "mh0dHBzOi8vc2hvcC5leGFtcGxlIiwiYXVkIjoiaW50ZXJsb2NrIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjQxMDI"
        "0NDQ4MDB9.m2KxIvSChF7dNs7rr6jA3qNd1cpOUeAdaL9-VHHsgkG639acfbd7Cy0z7qezOmpVHjlyo1aZdZHBpYru"
        "PYIplg"
    ),
    "EdDSA": (
        "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJDVVNULTEwMDEiLCJwbGFuIjoiZ29sZCIsImlzcyI6I"
        "mh0dHBzOi8vc2hvcC5leGFtcGxlIiwiYXVkIjoiaW50ZXJsb2NrIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjQxMDI"
        "0NDQ4MDB9.MlhucSfpZdR3l2k5W0ui1QjPKYLQrZ-oimaczpN6Utn3XpGzJxSZ6SCdzANUCPCZy4070_RSJS-ZOAVd"
        "VKu5Cg"
    ),
}
"""For CUST-1001, from https://shop.example, for interlock, until the year 2100."""
