//! A state as a picture: the circle with 0 at the top, members filled, an arrow to each entry of a list.

use std::f64::consts::TAU;
use std::fmt::Write;

use super::Place;
use super::state::State;
use crate::chord::view::Ring;

const SIZE: f64 = 300.0;
const RADIUS: f64 = 100.0;

/// Where a place is drawn, clockwise from the top.
fn point(place: Place, ids: u8, radius: f64) -> (f64, f64) {
    let turn = TAU * f64::from(place) / f64::from(ids);
    let centre = SIZE / 2.0;
    (centre + radius * turn.sin(), centre - radius * turn.cos())
}

/// Draws best successors solid, other live entries thin, dead ones red, predecessors dotted.
pub(super) fn svg(state: &State, ids: u8) -> String {
    let centre = SIZE / 2.0;
    let mut drawn = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{SIZE}\" height=\"{SIZE}\" viewBox=\"0 0 {SIZE} {SIZE}\">\
         <rect width=\"{SIZE}\" height=\"{SIZE}\" rx=\"8\" fill=\"#fff\"/>\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"20\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\" markerUnits=\"userSpaceOnUse\">\
         <path d=\"M0 0 L8 4 L0 8 z\"/></marker></defs>\
         <circle cx=\"{centre}\" cy=\"{centre}\" r=\"{RADIUS}\" fill=\"none\" stroke=\"#ccc\"/>"
    );
    for member in state.live() {
        let best = state.best_successor(member);
        for entry in state.successors(member) {
            let style = if Some(entry) == best {
                "stroke=\"black\" stroke-width=\"2\""
            } else if state.is_member(entry) {
                "stroke=\"#888\""
            } else {
                "stroke=\"red\""
            };
            arrow(&mut drawn, member, entry, ids, style);
        }
        if let Some(before) = state.predecessor(member) {
            arrow(
                &mut drawn,
                member,
                before,
                ids,
                "stroke=\"blue\" stroke-dasharray=\"2 4\"",
            );
        }
    }
    for place in 0..ids {
        let (x, y) = point(place, ids, RADIUS);
        let fill = match (
            state.is_member(place),
            state.is_member(place) && state.is_on_a_ring(place),
        ) {
            (false, _) => "white",
            (true, true) => "#9ecae1",
            (true, false) => "#fdae6b",
        };
        // Writing to a string cannot fail.
        let _ = write!(
            drawn,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"14\" fill=\"{fill}\" stroke=\"black\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-family=\"sans-serif\">{place}</text>",
            y + 5.0
        );
    }
    drawn.push_str("</svg>");
    drawn
}

fn arrow(drawn: &mut String, from: Place, to: Place, ids: u8, style: &str) {
    let ((x, y), (to_x, to_y)) = (point(from, ids, RADIUS), point(to, ids, RADIUS));
    // An arrow to oneself is a loop outside the circle; others bend a little, so that there and back are two lines.
    let (bend_x, bend_y) = if from == to {
        point(from, ids, RADIUS + 48.0)
    } else {
        let (dx, dy) = (to_x - x, to_y - y);
        ((x + to_x) / 2.0 - dy * 0.15, (y + to_y) / 2.0 + dx * 0.15)
    };
    let aside = if from == to { 30.0 } else { 0.0 };
    let _ = write!(
        drawn,
        "<path d=\"M{x:.1} {y:.1} C{:.1} {bend_y:.1} {:.1} {bend_y:.1} {to_x:.1} {to_y:.1}\" fill=\"none\" {style} marker-end=\"url(#tip)\"/>",
        bend_x - aside,
        bend_x + aside
    );
}
