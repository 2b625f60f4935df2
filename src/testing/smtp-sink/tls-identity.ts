/**
 * The sink's certificate and key, for tests on loopback only. The key is public, here, on purpose: it protects nothing, and
 * committing it spares the tests an OpenSSL binary. Self-signed for localhost, sink.example and 127.0.0.1, valid until 2126.
 */
export const sinkCertificate = `-----BEGIN CERTIFICATE-----
MIIB8TCCAZegAwIBAgIUHOQ2sQYDafNQPPvZILO56FHQfdUwCgYIKoZIzj0EAwIw
ODEVMBMGA1UEAwwMc2luay5leGFtcGxlMR8wHQYDVQQKDBZUZXN0IG9ubHksIG5l
dmVyIHRydXN0MCAXDTI2MTEyMTA0MjcyM1oYDzIxMjYxMDI4MDQyNzIzWjA4MRUw
EwYDVQQDDAxzaW5rLmV4YW1wbGUxHzAdBgNVBAoMFlRlc3Qgb25seSwgbmV2ZXIg
dHJ1c3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATUzf2ocoEDx8BrFXx/jcCn
gQN3wkHcFp/PNqykTCvzjPPTWDnUBDjCrNiIYMKFM9oT8N4zCbTfZg5/FTF1Z1Fi
o30wezAdBgNVHQ4EFgQUpjBsLmJgWKGkuG3eOYEEH7FgDlQwHwYDVR0jBBgwFoAU
pjBsLmJgWKGkuG3eOYEEH7FgDlQwDwYDVR0TAQH/BAUwAwEB/zAoBgNVHREEITAf
gglsb2NhbGhvc3SCDHNpbmsuZXhhbXBsZYcEfwAAATAKBggqhkjOPQQDAgNIADBF
AiEAqvG/s+Keor9FLP5sm+mYtybmtfWY741gs4IHbWHfwQkCIFpjwQz+lXYJaR6W
RKu7wKERDYoKdwFKHst43uq8hhNE
-----END CERTIFICATE-----
`;

export const sinkPrivateKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgESbpxA5KnEap/z01
HkcGs0bprLhBT24uZJDBVf+3fNqhRANCAATUzf2ocoEDx8BrFXx/jcCngQN3wkHc
Fp/PNqykTCvzjPPTWDnUBDjCrNiIYMKFM9oT8N4zCbTfZg5/FTF1Z1Fi
-----END PRIVATE KEY-----
`;
