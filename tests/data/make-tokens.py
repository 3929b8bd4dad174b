"""Makes tests/data/tokens-pyjwt.json with PyJWT and cryptography: tokens that none of our code took part in.

Usage: python -m venv v && v/bin/pip install 'pyjwt[crypto]' && v/bin/python make-tokens.py > tokens-pyjwt.json
Fresh keys at every run; the private halves are thrown away, except where a test needs to sign anew.
"""
import base64, hashlib, hmac, json, warnings
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

warnings.simplefilter("ignore")
NOW = 1_800_000_000
SECRET = "a secret of the older login service, 40+"
b64 = lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

def claims(**more):
    return {"iss": "https://login.example", "aud": "cust_pinned0001", "sub": "cust_pinned0001",
            "customerId": "cust_pinned0001", "iat": NOW - 10, "exp": NOW + 890, "scope": "profile customer:owner",
            "csrf": "csrf-value", "keyId": "key_1", "jti": "jti-1", "email_verified": True, **more}

def jwk(algorithm, key, kid, alg):
    return {**json.loads(algorithm.to_jwk(key)), "kid": kid, "use": "sig", "alg": alg, "key_ops": ["verify"]}

def raw_sign(header, payload, key):
    body = b64(json.dumps(header).encode()) + "." + b64(json.dumps(payload).encode())
    return body + "." + b64(hmac.new(key, body.encode(), hashlib.sha256).digest())

rsa_key = rsa.generate_private_key(65537, 2048)
ec_key = ec.generate_private_key(ec.SECP256R1())
ed_key = ed25519.Ed25519PrivateKey.generate()
keys = [("RS256", rsa_key, jwt.algorithms.RSAAlgorithm, "py-rsa"), ("ES256", ec_key, jwt.algorithms.ECAlgorithm, "py-ec"),
        ("EdDSA", ed_key, jwt.algorithms.OKPAlgorithm, "py-ed")]
good = {alg: jwt.encode(claims(), key, alg, headers={"kid": kid}) for alg, key, _, kid in keys}
good["HS256"] = jwt.encode(claims(), SECRET, "HS256")
good["RS256 without kid"] = jwt.encode(claims(), rsa_key, "RS256")
good["at+jwt"] = jwt.encode(claims(), rsa_key, "RS256", headers={"kid": "py-rsa", "typ": "application/AT+JWT"})

# The older issuer's encoder left `/` of base64 in the signature.
legacy = {"iss": "auth.idling.app", "aud": "default", "sub": "user_0123456789ab", "userId": "user_0123456789ab",
          "email": "Ada@Example.com", "email_verified": True, "customerId": None, "csrf": "c", "iat": NOW - 10,
          "exp": NOW + 25190}
for n in range(10_000):
    token = jwt.encode({**legacy, "jti": f"legacy-{n}"}, SECRET, "HS256")
    head, sig = token.rsplit(".", 1)
    if "_" in sig:
        legacy_slash = head + "." + sig.replace("_", "/")
        break

public = rsa_key.public_key()
pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
pkcs1 = public.public_bytes(Encoding.PEM, PublicFormat.PKCS1)
der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
n = public.public_numbers().n.to_bytes(256, "big")
confused = {}
for name, key in [("PEM", pem), ("PEM without its last newline", pem.strip()), ("PKCS#1 PEM", pkcs1), ("DER", der), ("n", n),
                  ("n in base64url", b64(n).encode())]:
    confused[f"HS256 with the RSA public key as {name}"] = raw_sign(
        {"alg": "HS256", "typ": "JWT", "kid": "py-rsa"}, claims(), key)
    confused[f"HS256 without kid with the RSA public key as {name}"] = raw_sign({"alg": "HS256"}, claims(), key)
body = good["RS256"].split(".")[1]
for alg in ["none", "None", "NONE", "nOnE", ""]:
    for sig in ["", good["RS256"].split(".")[2]]:
        header = b64(json.dumps({"alg": alg, "typ": "JWT", "kid": "py-rsa"}).encode())
        confused[f"alg {alg!r} with {len(sig)} characters of signature"] = f"{header}.{body}.{sig}"
for alg in ["RS384", "RS512", "PS256"]:
    confused[alg] = jwt.encode(claims(), rsa_key, alg, headers={"kid": "py-rsa"})
for alg in ["HS384", "HS512"]:
    confused[alg] = jwt.encode(claims(), SECRET, alg)
confused["ES256 in DER"] = good["ES256"].rsplit(".", 1)[0] + "." + b64(
    ec_key.sign(good["ES256"].rsplit(".", 1)[0].encode(), ec.ECDSA(__import__("cryptography").hazmat.primitives.hashes.SHA256())))

weak = rsa.generate_private_key(65537, 1024)
print(json.dumps({
    "madeBy": f"PyJWT {jwt.__version__}", "now": NOW, "secret": SECRET,
    "jwks": {"keys": [jwk(a, k.public_key(), kid, alg) for alg, k, a, kid in keys]},
    "good": good, "legacySlash": legacy_slash, "refused": confused,
    "weakRsa": {"jwk": jwk(jwt.algorithms.RSAAlgorithm, weak.public_key(), "weak", "RS256"),
                "token": jwt.encode(claims(), weak, "RS256", headers={"kid": "weak"})},
}, indent=1))
