use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use curve25519_dalek::{EdwardsPoint, constants::EIGHT_TORSION, edwards::CompressedEdwardsY};
use refsync::service::auth::access_token::is_public_key;

fn is_taken(key: [u8; 32]) -> bool {
    is_public_key(&URL_SAFE_NO_PAD.encode(key))
}

#[test]
fn a_key_that_any_signature_fits_is_refused_however_it_is_written() {
    for point in EIGHT_TORSION {
        let mut key = EdwardsPoint::compress(&point).to_bytes();
        assert!(!is_taken(key), "{key:02x?}");
        key[31] ^= 0x80;
        assert!(!is_taken(key), "{key:02x?} with the other sign");
    }
    // 2^255 - 19 and the number after it are 0 and 1 again.
    for low in [0xed, 0xee] {
        let mut key = [0xff; 32];
        (key[0], key[31]) = (low, 0x7f);
        let point = CompressedEdwardsY(key).decompress().expect("it is a point");
        assert!(point.is_small_order() && !is_taken(key), "{key:02x?}");
    }
}

#[test]
fn any_other_32_bytes_are_taken_and_no_other_length() {
    let base = curve25519_dalek::constants::ED25519_BASEPOINT_COMPRESSED.to_bytes();
    assert!(is_taken(base));
    for x in ["", "x", &URL_SAFE_NO_PAD.encode(&base[1..]), &format!("{}=", URL_SAFE_NO_PAD.encode(base))] {
        assert!(!is_public_key(x), "{x}");
    }
}
