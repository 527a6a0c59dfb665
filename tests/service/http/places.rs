use refsync::service::{Error, http::places::Places};

#[test]
fn a_place_is_free_again_when_it_is_dropped() {
    let places = Places::new("plans", 2);
    let first = places.take("a").expect("it is free");
    let second = places.take("a").expect("it is free");
    let refusal = places.take("a").map(drop).map_err(|error| (error.status(), error.to_string()));
    let message = "this organisation has 2 plans under way, which is the most; try again when one of them has ended";
    assert_eq!(refusal, Err((429, message.to_owned())));
    let other = places.take("b").expect("another organisation has its own");
    assert_eq!(places.total(), 3);
    drop(first);
    let third = places.take("a").expect("it is free again");
    assert!(matches!(places.take("a").map(drop), Err(Error::Busy { .. })));
    drop((second, third, other));
    assert_eq!(places.total(), 0);
}
