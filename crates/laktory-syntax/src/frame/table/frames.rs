//! Steps that read other frames.

use crate::frame::Build::Steps;
use crate::frame::{MethodDef, combine};
use crate::parameter::{Parameter, key, may, need};

use super::methods;

const OTHER: Parameter = need("other")
    .of("frame")
    .says("the frame on the right: `{nodes.name}` or `{sources.name}`");
const LEFT_ON: Parameter = key("left_on")
    .of("name or list of names")
    .says("keys of this frame, where they are called otherwise");
const RIGHT_ON: Parameter = key("right_on")
    .of("name or list of names")
    .says("keys of the other frame, in the same order");
const SUFFIX: Parameter = key("suffix")
    .of("text")
    .or("_right")
    .says("put behind the names of the other frame that this one has too");

pub(super) const ROWS: &[MethodDef] = methods! {
    "join", false, [
            OTHER,
            may("on").of("name or list of names").says("keys that are called the same in both frames"),
            may("how").of("`inner`, `left`, `full`, `cross`, `semi`, `anti`").or("inner").says("`semi` keeps rows that have a match, `anti` those that have none, `cross` pairs all; for a right join, swap the frames"),
            LEFT_ON, RIGHT_ON, SUFFIX,
        ], Steps(combine::join),
        "a null key matches nothing", "Rows matched with those of another frame. Behind the columns of this frame come those of the other one, without its keys; a full join keeps both keys.",
        "df: symbol = 'A', 'B', null; price = 1.0, 2.0, 3.0\nnodes.names: symbol = 'A', null; name = 'Alpha', 'none'"
        => "- func_name: join\n  func_kwargs: {other: \"{nodes.names}\", on: [symbol], how: left}"
        => "symbol = 'A', 'B', null; price = 1.0, 2.0, 3.0; name = 'Alpha', null, null";
    "join_asof", false, [
            OTHER,
            LEFT_ON.of("name").says("the ordered key of this frame"),
            RIGHT_ON.of("name").says("the ordered key of the other frame"),
            key("on").of("name").says("the ordered key, where it is called the same"),
            key("by_left").of("name or list of names").says("keys of this frame that must be equal"),
            key("by_right").of("name or list of names").says("keys of the other frame that must be equal"),
            key("by").of("name or list of names").says("keys that must be equal, where they are called the same"),
            key("strategy").of("`backward`, `forward`, `nearest`").or("backward").says("the last row at or before, the first at or behind, or the nearer of both"),
            SUFFIX,
        ], Steps(combine::join_asof),
        "a null key matches nothing", "Each row matched with the one row of another frame whose key is nearest: a trade with the quote that held.",
        "df: symbol = 'A', 'A'; t = 5, 10\nnodes.quotes: symbol = 'A', 'A'; t = 4, 9; bid = 1.0, 2.0"
        => "- func_name: join_asof\n  func_args: [\"{nodes.quotes}\"]\n  func_kwargs: {on: t, by: symbol}"
        => "symbol = 'A', 'A'; t = 5, 10; bid = 1.0, 2.0";
    "concat", false, [
            need("items").of("frame or list of frames").says("the frames below this one"),
            may("how").of("`vertical`, `diagonal`").or("vertical").says("the same columns in the same order, or the columns of all, with null where one lacks them"),
        ], Steps(combine::concat),
        "`diagonal` fills with null", "Rows of other frames below those of this one.",
        "df: x = 1; y = 10\nnodes.more: x = 2; z = 'a'"
        => "- func_name: concat\n  func_args: [[\"{nodes.more}\"]]\n  func_kwargs: {how: diagonal}"
        => "x = 1, 2; y = 10, null; z = null, 'a'";
    "laktory.union", false, [need("others").of("frame or list of frames").says("the frames below this one, of the same columns in the same order")], Steps(combine::union),
        "no matter", "Rows of other frames below those of this one. Equal rows stay; `unique` removes them.",
        "df: x = 1, 2\nnodes.more: x = 2"
        => "- func_name: laktory.union\n  func_args: [[\"{nodes.more}\"]]"
        => "x = 1, 2, 2";
};
