use refsync::service::handlers::list_size::fitting;

#[test]
fn one_that_does_not_fit_keeps_out_none_behind_it() {
    assert_eq!(fitting([3, 9, 4, 4, 0, 3], 10), [true, false, true, false, true, true]);
    assert_eq!(fitting([1, 0], 0), [false, true]);
}
