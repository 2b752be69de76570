//! Key pairs made for these tests and used nowhere else.

/// RSA-2048, PKCS#1 DER, base64.
pub(crate) const RSA_PRIVATE: &str = "\
    MIIEoQIBAAKCAQEAsC0HIjoxIpKY9eD46Ft5viMGpiFqL2w1hdSkHwlf01MQFFo8K4+iWnBZLtMBreOHP3udKgZA\
    lMzxkkvhi8fB2jII8UIvRJyrT9kX7H3rLRJ608RHiqPiWIG0z1RTMLNImuvks4ugYZrHiMrt/t9EMkcaCYvKFE/i\
    Fe2LzTo9baL2UCXSz/P0JR8aMaIcHAgYcEptiFGSMCgGtRWw3Zi2g1MGoMVObfBfTrSnVvPgcO/oB5/M061w3dmA\
    9N88fLvrQTFBP0tXr7S9I/y0v9kRlBr7fbz1vy4LS7vcKP9Vli9ZCCMhVtimRfAJuZlGlTG0RnEqfkVVt9kqVHd4\
    4lUZ8wIDAQABAoH/X58KYP+duMOkQgTMdw+lgRELl/IU15taDxuWLVyT2sOC6ZYqtoCbLpVwLk9SN4wf1dhPR3/1\
    3EqBL3BcCBk8h1JFEh0VO/pdajsBmco7KfNagtFHmk2a1QyYCZQ3+/vJZgsZMOrTFNGe0MEsraYyKRfd/NpFKbqa\
    9SSDbfrsvumLZK4YSo74Y4zrJfuVTvv2f7TieugpoioME7K98VbO8QzQyhQp4qBSsMMkFCMsJpL9je2g6e036L/S\
    o//m29XR/cPfIcOuV5fYJvmBp0FtF2UqnF3gnJqylTdZXmN5wN/8uAeDlgykn55mROl8tWSxxEF05uwITtAtFGts\
    YbkhAoGBAOf/F4DFaUhrKtKIcCMwgIuu/F1hxrkqWHKCIKCuGzEKAjpn2sl9a0p35ME1V9/GQw74U+OEYl/T9o/+\
    P/Qr1FpfZg3DEY+f5kOMDOgXwxOqxaCjGh9d7QtkCe+5jOVehRy4V6pyTm17+ey2gFCoC6arhfCHx684Qs9rIjcU\
    a8yDAoGBAMJnaZawMZycmlVNNaHKUA+e6H8bWi+o2iKcrgPzQAv42B5jG7CD07txLlBi51CWc0jI0h39xXYPMJR0\
    kEy79xXm83ePgme6yXRYrv/Lq/pX4FX6J93iO4RCvvIc+Y0yuF3APt7q6zX9fdeVxjfFWwYhORf9Qd6HMbCpl/q9\
    3OHRAoGARupaA9nUWfewSlS8enU8BfbCW8UkmrtP+AjA8nzmAPJ/Rd0zKr40yrmlak3lA5k2LGBKPFTeQU6ootFk\
    OT4gllNs/a3wM0f8eg9YbqW80skzyeuxc38hk4bL5sSARijDZckPuyFfyeXIusv6oy0LCrKJqcHHj08SVRb5iX6r\
    iQMCgYEAtDH82nNpGRzDpWvS2avYuBH4udDVsLWXtFt8pSa1aCN51/jPsrcO7IDFiDeU58r9Ays6MBiJDpyX0BOX\
    qbjVF9UiOeGo45Nspk6Jr4rPV1ZbF/avO2k296qSqYMYAbxQzn2jCSfBbCMSoWEwAYQKkkz7SfQzORwhf/pDaGTS\
    t/ECgYArdoIiljQ0m4wT+XZC8iN55fiPd5LaLRnRK7+R8Z+7rKLJDcd7AfQxRDvoS2E37G9RTYVNUKYcsp2qxCsx\
    505cwMdz8hKZpK79X5OZaid1SlV9E0OrlMSpM8zPcXPHzvqDjt6671zsJmGrzNgcu0OZhVQkif5kJMJq4+K5pzjc\
    ag==";
/// Its modulus, base64url.
pub(crate) const RSA_N: &str = "\
    sC0HIjoxIpKY9eD46Ft5viMGpiFqL2w1hdSkHwlf01MQFFo8K4-iWnBZLtMBreOHP3udKgZAlMzxkkvhi8fB2jII\
    8UIvRJyrT9kX7H3rLRJ608RHiqPiWIG0z1RTMLNImuvks4ugYZrHiMrt_t9EMkcaCYvKFE_iFe2LzTo9baL2UCXS\
    z_P0JR8aMaIcHAgYcEptiFGSMCgGtRWw3Zi2g1MGoMVObfBfTrSnVvPgcO_oB5_M061w3dmA9N88fLvrQTFBP0tX\
    r7S9I_y0v9kRlBr7fbz1vy4LS7vcKP9Vli9ZCCMhVtimRfAJuZlGlTG0RnEqfkVVt9kqVHd44lUZ8w";
/// Its public key as a PEM file, base64 once more.
pub(crate) const RSA_PUBLIC_PEM_BASE64: &str = "\
    LS0tLS1CRUdJTiBQVUJMSUMgS0VZLS0tLS0KTUlJQklqQU5CZ2txaGtpRzl3MEJBUUVGQUFPQ0FROEFNSUlCQ2dL\
    Q0FRRUFzQzBISWpveElwS1k5ZUQ0NkZ0NQp2aU1HcGlGcUwydzFoZFNrSHdsZjAxTVFGRm84SzQraVduQlpMdE1C\
    cmVPSFAzdWRLZ1pBbE16eGtrdmhpOGZCCjJqSUk4VUl2Ukp5clQ5a1g3SDNyTFJKNjA4UkhpcVBpV0lHMHoxUlRN\
    TE5JbXV2a3M0dWdZWnJIaU1ydC90OUUKTWtjYUNZdktGRS9pRmUyTHpUbzliYUwyVUNYU3ovUDBKUjhhTWFJY0hB\
    Z1ljRXB0aUZHU01DZ0d0Uld3M1ppMgpnMU1Hb01WT2JmQmZUclNuVnZQZ2NPL29CNS9NMDYxdzNkbUE5Tjg4Zkx2\
    clFURkJQMHRYcjdTOUkveTB2OWtSCmxCcjdmYnoxdnk0TFM3dmNLUDlWbGk5WkNDTWhWdGltUmZBSnVabEdsVEcw\
    Um5FcWZrVlZ0OWtxVkhkNDRsVVoKOHdJREFRQUIKLS0tLS1FTkQgUFVCTElDIEtFWS0tLS0tCg==";
/// P-256, PKCS#8 DER, base64.
pub(crate) const EC_PRIVATE: &str = "\
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQglaIc88uGPh2oi4t3luqP/39Pe/VSXdN1FYsnd8Fr\
    aSShRANCAAQ5bKUiucSCO5MqSdVmTTT4Oh8PL/rtcvQI30rw/rD4Td3QEGe6ZOnSngAEejuwNv6935JZNagUntA7\
    1HPgZ9Z9";
/// Its public point.
pub(crate) const EC_X: &str = "\
    OWylIrnEgjuTKknVZk00-DofDy_67XL0CN9K8P6w-E0";
/// Its public point.
pub(crate) const EC_Y: &str = "\
    3dAQZ7pk6dKeAAR6O7A2_r3fklk1qBSe0DvUc-Bn1n0";
/// Ed25519, PKCS#8 DER, base64.
pub(crate) const ED_PRIVATE: &str = "\
    MC4CAQAwBQYDK2VwBCIEIJvGfEWDFyViN8TPycEjz4M+2MV4IMzeqJwxLq5yM5uD";
/// Its public key.
pub(crate) const ED_X: &str = "\
    r2D3AySvW6df2bjs-cUy5oEuYXCyDO3Hx_nmMnAuJBw";
