use refsync::service::hosting::change_id::derive;

#[test]
fn an_empty_repository_has_the_root_change_id() {
    assert_eq!(derive(None), "z".repeat(32));
}

#[test]
fn derives_as_jujutsu_does() {
    // Computed by hand with Jujutsu's rule. Byte 19 of the commit id comes first. Its bits are reversed, and its digits are
    // written as z to k. 0x13 = 00010011 -> 11001000 = c8 -> c: z-12 = n, 8: z-8 = r.
    let derived = derive(Some("ffffffff00000000000000000000000000000013"));
    assert_eq!(derived, format!("nr{}", "z".repeat(30)), "the first four bytes do not count");
    assert_eq!(derive(Some("00000000ffffffffffffffffffffffffffffffff")), "k".repeat(32));
    assert_eq!(derive(Some("0000000001000000000000000000000000000000")), format!("{}rz", "z".repeat(30)));
}

#[test]
fn a_sha256_id_counts_with_its_first_twenty_bytes() {
    let sha256 = format!("ffffffff00000000000000000000000000000013{}", "ab".repeat(12));
    assert_eq!(derive(Some(&sha256)), derive(Some(&sha256[..40])));
}
