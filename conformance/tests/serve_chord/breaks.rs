//! Seeded violations show where they should.

use serde_json::json;

use crate::town::Town;

#[test]
fn keys_stay_where_they_were_when_they_are_never_handed_over() {
    let mut town = Town::six(Some("never-hands-over"), 1);
    town.put(16, 34, "page");
    town.join(40, Some(112));
    town.seconds(1);
    assert_eq!(town.state(45)["keys"], json!([34]));
}
