//! An answer of every endpoint with everything in it that is read, and what it comes to.

use super::Endpoint::*;
use super::*;

/// With each of the sections, and in each what is read and what is set aside.
pub(super) const SYNC: &str = r##"{
"next_batch":"s1",
"account_data":{"events":[
    {"type":"m.direct","content":{"@b:x":["!r"]},"sender":"@me:x"},
    {"type":"haos.session","content":{}},
    {"type":"m.x"}]},
"to_device":{"events":[{"type":"m.a","content":{"k":1}},{"type":"m.b"}]},
"device_lists":{"changed":["@b:x","@c:x",7],"left":["@b:x"]},
"presence":{"events":[{"type":"m.presence","sender":"@b:x","content":{}}]},
"rooms":{
"wave":{"!waved":{}},
"leave":{
    "!banned":{"timeline":{"events":[
        {"event_id":"$1","sender":"@b:x","type":"m.room.member","state_key":"@me:x","origin_server_ts":4,"content":{"membership":"ban"}}]}},
    "!left":{"state":{"events":[
        {"event_id":"$2","sender":"@b:x","type":"m.room.member","state_key":"@b:x","origin_server_ts":4,"content":{"membership":"ban"}},
        {"event_id":"$3","sender":"@me:x","type":"m.room.member","state_key":"@me:x","origin_server_ts":5,"content":{"membership":"leave"}}]}}},
"knock":{"!knocked":{"knock_state":{"events":[
    {"type":"m.room.name","state_key":"","sender":"@b:x","content":{"name":"K"}},
    {"type":"m.room.member","state_key":"@me:x","sender":"@me:x","content":{"membership":"knock"}}]}}},
"invite":{"!invited":{"invite_state":{"events":[
    {"type":"m.room.member","state_key":"@me:x","sender":"@b:x","origin_server_ts":8,"event_id":"$i","content":{"membership":"invite"}},
    {"type":"m.room.topic","state_key":"","sender":"@b:x","event_id":"","content":{}},
    {"type":"m.tag","state_key":"","content":{}},
    {"type":"m.room.topic","content":{}}]}}},
"join":{
    "":{"timeline":{}},
    "!after":{
        "timeline":{"events":[
            {"event_id":"$old","sender":"@b:x","type":"m.room.name","state_key":"","origin_server_ts":4,"content":{"name":"old"}}]},
        "state_after":{"events":[
            {"event_id":"$new","sender":"@b:x","type":"m.room.name","state_key":"","origin_server_ts":3,"content":{"name":"new"}},
            {"sender":"@b:x","type":"m.room.topic","state_key":"","content":{"topic":"without an id"}}]}},
    "!odd":7,
    "!r":{
        "summary":{"m.heroes":["@b:x"],"m.joined_member_count":2},
        "state":{"events":[
            {"event_id":"$n","sender":"@b:x","type":"m.room.name","state_key":"","origin_server_ts":1,"content":{"name":"N"},"unsigned":{"age":1}},
            {"event_id":"$me","sender":"@b:x","type":"m.room.member","state_key":"@me:x","origin_server_ts":2,"content":{"membership":"join"}},
            {"event_id":"$tag","sender":"@b:x","type":"m.tag","state_key":"","content":{}},
            {"sender":"@b:x","type":"m.room.topic","state_key":"","content":{"topic":"without an id"}},
            {"event_id":"$no","sender":"@b:x","type":"m.room.topic","content":{}}]},
        "timeline":{"limited":true,"prev_batch":"p1","events":[
            {"event_id":"$m","sender":"@b:x","type":"m.room.message","origin_server_ts":3,"content":{"body":"x"},"unsigned":{"transaction_id":"t"}},
            {"event_id":"$t","sender":"@b:x","type":"m.room.topic","state_key":"","origin_server_ts":4,"content":{"topic":"T"}},
            {"event_id":"$typing","sender":"@b:x","type":"m.typing","state_key":"","content":{}},
            {"event_id":"$bad","type":"m.x","content":{}}]},
        "account_data":{"events":[
            {"type":"m.tag","content":{"tags":{}}},
            {"type":"haos.draft","content":{}}]},
        "ephemeral":{"events":[
            {"type":"m.typing","content":{"user_ids":["@b:x"]}},
            {"type":"m.receipt","content":{"$m":{"m.read":{"@b:x":{"ts":3}}}}},
            {"type":"m.receipt","content":{"$m":{"m.read":{"@c:x":{"ts":5}}},"$t":7}},
            {"type":"m.receipt"},
            {"content":{"odd":1}}]},
        "unread_notifications":{"notification_count":2,"highlight_count":1},
        "unread_thread_notifications":{"$m":{"notification_count":2}}}}}}"##;

pub(super) const SLIDING: &str = r##"{
"pos":"p7",
"lists":{"all":{"count":12},"few":{"count":-1},"none":{},"odd":7},
"extensions":{
    "account_data":{"global":[],"rooms":{"!joined":[{"type":"m.tag","content":{"tags":{}}}]}},
    "receipts":{"rooms":{"!joined":{"type":"m.receipt","content":{"$m":{"m.read":{"@b:x":{"ts":3}}}}}}}},
"rooms":{
    "":{},
    "!odd":7,
    "!knocked":{"stripped_state":[
        {"type":"m.room.name","state_key":"","content":{"name":"K"}},
        {"type":"m.room.member","state_key":"@me:x","content":{"membership":"knock"}}]},
    "!known":{"stripped_state":7,"required_state":[
        {"event_id":"$k","sender":"@me:x","type":"m.room.member","state_key":"@me:x","content":{"membership":"knock"}}]},
    "!invited":{"invite_state":[{"type":"m.room.name","state_key":"","content":{"name":"I"}}],
        "stripped_state":[{"type":"m.room.member","state_key":"@me:x","content":{"membership":"knock"}}]},
    "!oddly":{"invite_state":7},
    "!banned":{"required_state":[
        {"event_id":"$1","sender":"@me:x","type":"m.room.member","state_key":"@me:x","content":{"membership":"join"}},
        {"event_id":"$2","sender":"@b:x","type":"m.room.member","state_key":"@me:x","origin_server_ts":6,"content":{"membership":"ban"}},
        {"event_id":"$3","sender":"@b:x","type":"m.room.member","state_key":"@b:x","content":{"membership":"join"}},
        {"event_id":"$4","sender":"@b:x","type":"m.room.other","state_key":"@me:x","content":{"membership":"knock"}},
        {"event_id":"$5","sender":"@b:x","type":"m.room.member","state_key":"@me:x","content":{"membership":"wave"}}]},
    "!joined":{
        "name":"what the server makes up","avatar":"mxc://x/y","initial":true,"bump_stamp":7,
        "required_state":[{"event_id":"$n","sender":"@b:x","type":"m.room.name","state_key":"","content":{"name":"N"}}],
        "timeline":[
            {"event_id":"$m","sender":"@b:x","type":"m.room.message","origin_server_ts":3,"content":{"body":"x"}},
            {"event_id":"$n0","sender":"@b:x","type":"m.room.name","state_key":"","origin_server_ts":4,"content":{"name":"old"}}],
        "limited":true,"prev_batch":"p1","notification_count":2,"highlight_count":1,
        "joined_count":3,"invited_count":1,
        "heroes":[{"user_id":"@b:x","displayname":"B"},7,{"user_id":7},{"user_id":"@c:x"}]},
    "!a":{"required_state":7,"timeline":7,"heroes":7,"notification_count":"many"}}}"##;

pub(super) const MESSAGES: &str = r##"{
"start":"t0","end":"t1",
"chunk":[
    {"event_id":"$2","sender":"@b:x","type":"m.room.message","origin_server_ts":2,"content":{"body":"2"}},
    {"event_id":"$bad","type":"m.room.message","content":{}},
    {"event_id":"$1","sender":"@b:x","type":"m.room.topic","state_key":"","origin_server_ts":1,"content":{"topic":"1"}}],
"state":[
    {"event_id":"$b","sender":"@b:x","type":"m.room.member","state_key":"@b:x","content":{"membership":"join"},"unsigned":{"age":1}},
    {"event_id":"$name","sender":"@b:x","type":"m.room.name","state_key":"","content":{"name":"then"}},
    {"event_id":"$none","sender":"@b:x","type":"m.room.member","content":{"membership":"join"}},
    {"sender":"@c:x","type":"m.room.member","state_key":"@c:x","content":{"membership":"join"}}]}"##;

pub(super) const CONTEXT: &str = r##"{
"start":"t0","end":"t9",
"event":{"event_id":"$3","sender":"@b:x","type":"m.room.message","content":{"body":"3"}},
"events_before":[
    {"event_id":"$2","sender":"@b:x","type":"m.room.message","origin_server_ts":2,"content":{"body":"2"}},
    {"event_id":"$bad","type":"m.room.message","content":{}},
    {"event_id":"$1","sender":"@b:x","type":"m.room.message","origin_server_ts":1,"content":{"body":"1"}}],
"events_after":[{"event_id":"$4","sender":"@b:x","type":"m.room.message","content":{"body":"4"}}],
"state":[
    {"event_id":"$b","sender":"@b:x","type":"m.room.member","state_key":"@b:x","content":{"membership":"join"}},
    {"event_id":"$d","sender":"@d:x","type":"m.room.member","state_key":"@d:x","content":{"membership":"leave"}},
    {"event_id":"$e","sender":"@e:x","type":"m.room.member","state_key":"@e:x","content":{"membership":"leave"}},
    {"event_id":"$f","sender":"@f:x","type":"m.room.member","state_key":"@f:x","content":{"membership":"leave"}},
    {"event_id":"$name","sender":"@b:x","type":"m.room.name","state_key":"","content":{"name":"then"}},
    {"sender":"@c:x","type":"m.room.member","state_key":"@c:x","content":{"membership":"join"}}]}"##;

pub(super) const MEMBERS: &str = r##"{"chunk":[
    {"event_id":"$b","sender":"@b:x","type":"m.room.member","state_key":"@b:x","content":{"membership":"join"}},
    {"event_id":"$d","sender":"@d:x","type":"m.room.member","state_key":"@d:x","content":{"membership":"leave"}},
    {"event_id":"$e","sender":"@e:x","type":"m.room.member","state_key":"@e:x","content":{"membership":"leave"}},
    {"event_id":"$f","sender":"@f:x","type":"m.room.member","state_key":"@f:x","content":{"membership":"leave"}},
    {"event_id":"$name","sender":"@b:x","type":"m.room.name","state_key":"","content":{"name":"N"}},
    {"sender":"@c:x","type":"m.room.member","state_key":"@c:x","content":{"membership":"join"}}]}"##;

pub(super) const ALL: [(Endpoint, &str); 5] =
    [(Sync, SYNC), (Sliding, SLIDING), (Messages, MESSAGES), (Context, CONTEXT), (Members, MEMBERS)];

#[test]
fn a_page_towards_newer_events_is_not_turned() {
    let read = |direction| parse_messages(MESSAGES.as_bytes(), &room(), direction).unwrap();
    let (mut older, newer) = (read(Direction::Older), read(Direction::Newer));
    older.events.reverse();
    assert_eq!(older, newer);
    assert_eq!(newer.events[0].id.as_str(), "$2");
}

#[test]
fn what_each_answer_comes_to() {
    let lines = [SYNC_LINES, SLIDING_LINES, MESSAGES_LINES, CONTEXT_LINES, MEMBERS_LINES];
    for ((endpoint, json), lines) in ALL.into_iter().zip(lines) {
        let found = endpoint.read(json, &me()).unwrap();
        for (found, line) in found.iter().zip(lines.trim().lines()) {
            assert_eq!(found, line, "{endpoint:?}");
        }
        assert_eq!(found.len(), lines.trim().lines().count(), "{endpoint:?}");
    }
}

const SYNC_LINES: &str = r##"
next=s1
!after Join
!after: m.room.name [] $new {"content":{"name":"new"},"event_id":"$new","origin_server_ts":3,"sender":"@b:x","state_key":"","type":"m.room.name"}
!after: haos.unreadable [] - {"content":{"topic":"without an id"},"sender":"@b:x","state_key":"","type":"m.room.topic"}
!after > $old @b:x 4 m.room.name [] {"name":"old"}
!banned Ban since=4
!banned: m.room.member [@me:x] $1 {"content":{"membership":"ban"},"event_id":"$1","origin_server_ts":4,"sender":"@b:x","state_key":"@me:x","type":"m.room.member"}
!banned > $1 @b:x 4 m.room.member [@me:x] {"membership":"ban"}
!invited Invite since=8
!invited: m.room.member [@me:x] $i {"content":{"membership":"invite"},"event_id":"$i","origin_server_ts":8,"sender":"@b:x","state_key":"@me:x","type":"m.room.member"}
!invited: m.room.topic [] - {"content":{},"event_id":"","sender":"@b:x","state_key":"","type":"m.room.topic"}
!invited: haos.unreadable [] - {"content":{},"state_key":"","type":"m.tag"}
!invited: haos.unreadable [] - {"content":{},"type":"m.room.topic"}
!knocked Knock
!knocked: m.room.name [] - {"content":{"name":"K"},"sender":"@b:x","state_key":"","type":"m.room.name"}
!knocked: m.room.member [@me:x] - {"content":{"membership":"knock"},"sender":"@me:x","state_key":"@me:x","type":"m.room.member"}
!left Leave since=5
!left: m.room.member [@b:x] $2 {"content":{"membership":"ban"},"event_id":"$2","origin_server_ts":4,"sender":"@b:x","state_key":"@b:x","type":"m.room.member"}
!left: m.room.member [@me:x] $3 {"content":{"membership":"leave"},"event_id":"$3","origin_server_ts":5,"sender":"@me:x","state_key":"@me:x","type":"m.room.member"}
!odd Join
!odd: haos.unreadable [] - {"room":7}
!r Join limited prev=p1 unread=2/1 since=2
!r: m.room.name [] $n {"content":{"name":"N"},"event_id":"$n","origin_server_ts":1,"sender":"@b:x","state_key":"","type":"m.room.name"}
!r: m.room.member [@me:x] $me {"content":{"membership":"join"},"event_id":"$me","origin_server_ts":2,"sender":"@b:x","state_key":"@me:x","type":"m.room.member"}
!r: haos.unreadable [] $tag {"content":{},"event_id":"$tag","sender":"@b:x","state_key":"","type":"m.tag"}
!r: haos.unreadable [] - {"content":{"topic":"without an id"},"sender":"@b:x","state_key":"","type":"m.room.topic"}
!r: haos.unreadable [] $no {"content":{},"event_id":"$no","sender":"@b:x","type":"m.room.topic"}
!r: m.room.topic [] $t {"content":{"topic":"T"},"event_id":"$t","origin_server_ts":4,"sender":"@b:x","state_key":"","type":"m.room.topic"}
!r: haos.unreadable [] $bad {"content":{},"event_id":"$bad","type":"m.x"}
!r: haos.tags [!r] - {"tags":{}}
!r: m.tag [] - {"tags":{}}
!r: haos.unreadable [] - {"content":{},"type":"haos.draft"}
!r: haos.receipt [m.read|@b:x] - {"event_id":"$m","receipt_type":"m.read","ts":3,"user_id":"@b:x"}
!r: haos.receipt [m.read|@c:x] - {"event_id":"$m","receipt_type":"m.read","ts":5,"user_id":"@c:x"}
!r: haos.unreadable [] - {"content":{"$m":{"m.read":{"@c:x":{"ts":5}}},"$t":7},"type":"m.receipt"}
!r: haos.unreadable [] - {"type":"m.receipt"}
!r: haos.unreadable [] - {"content":{"odd":1}}
!r: haos.summary [m.heroes] - ["@b:x"]
!r: haos.summary [m.joined_member_count] - 2
!r > $m @b:x 3 m.room.message {"body":"x"} txn=t
!r > $t @b:x 4 m.room.topic [] {"topic":"T"}
!r > $typing @b:x 0 m.typing [] {}
haos.unreadable [] - {"wave":{"!waved":{}}}
haos.unreadable [] - {"join":{"":{"timeline":{}}}}
m.direct [] - {"@b:x":["!r"]}
haos.unreadable [] - {"content":{},"type":"haos.session"}
haos.unreadable [] - {"type":"m.x"}
haos.to_device [000000] - {"content":{"k":1},"type":"m.a"}
haos.to_device [000001] - {"type":"m.b"}
haos.device_list [@b:x] - {"left":true}
haos.device_list [@b:x] - {"changed":true}
haos.device_list [@c:x] - {"changed":true}
haos.unreadable [] - 7
"##;

const SLIDING_LINES: &str = r##"
pos=p7
all=12
few=0
!a Join
!a: haos.unreadable [] - {"timeline":{"events":7}}
!a: haos.unreadable [] - {"state_after":{"events":7}}
!a: haos.summary [heroes] - 7
!banned Ban
!banned: m.room.member [@me:x] $1 {"content":{"membership":"join"},"event_id":"$1","sender":"@me:x","state_key":"@me:x","type":"m.room.member"}
!banned: m.room.member [@me:x] $2 {"content":{"membership":"ban"},"event_id":"$2","origin_server_ts":6,"sender":"@b:x","state_key":"@me:x","type":"m.room.member"}
!banned: m.room.member [@b:x] $3 {"content":{"membership":"join"},"event_id":"$3","sender":"@b:x","state_key":"@b:x","type":"m.room.member"}
!banned: m.room.other [@me:x] $4 {"content":{"membership":"knock"},"event_id":"$4","sender":"@b:x","state_key":"@me:x","type":"m.room.other"}
!banned: m.room.member [@me:x] $5 {"content":{"membership":"wave"},"event_id":"$5","sender":"@b:x","state_key":"@me:x","type":"m.room.member"}
!invited Invite
!invited: m.room.name [] - {"content":{"name":"I"},"state_key":"","type":"m.room.name"}
!joined Join limited prev=p1 unread=2/1
!joined: m.room.name [] $n {"content":{"name":"N"},"event_id":"$n","sender":"@b:x","state_key":"","type":"m.room.name"}
!joined: haos.tags [!joined] - {"tags":{}}
!joined: m.tag [] - {"tags":{}}
!joined: haos.receipt [m.read|@b:x] - {"event_id":"$m","receipt_type":"m.read","ts":3,"user_id":"@b:x"}
!joined: haos.summary [m.joined_member_count] - 3
!joined: haos.summary [m.invited_member_count] - 1
!joined: haos.summary [heroes] - [{"displayname":"B","user_id":"@b:x"},7,{"user_id":7},{"user_id":"@c:x"}]
!joined: haos.summary [m.heroes] - ["@b:x","@c:x"]
!joined > $m @b:x 3 m.room.message {"body":"x"}
!joined > $n0 @b:x 4 m.room.name [] {"name":"old"}
!knocked Knock
!knocked: m.room.name [] - {"content":{"name":"K"},"state_key":"","type":"m.room.name"}
!knocked: m.room.member [@me:x] - {"content":{"membership":"knock"},"state_key":"@me:x","type":"m.room.member"}
!known Knock
!known: haos.unreadable [] - {"knock_state":{"events":7}}
!known: m.room.member [@me:x] $k {"content":{"membership":"knock"},"event_id":"$k","sender":"@me:x","state_key":"@me:x","type":"m.room.member"}
!oddly Invite
!oddly: haos.unreadable [] - {"invite_state":{"events":7}}
haos.unreadable [] - {"":{}}
haos.unreadable [] - {"!odd":7}
"##;

const MESSAGES_LINES: &str = r##"
!r end=t1
$1 @b:x 1 m.room.topic [] {"topic":"1"}
$2 @b:x 2 m.room.message {"body":"2"}
haos.unreadable [] $bad {"content":{},"event_id":"$bad","type":"m.room.message"}
m.room.member [@b:x] $b {"content":{"membership":"join"},"event_id":"$b","sender":"@b:x","state_key":"@b:x","type":"m.room.member"}
haos.unreadable [] - {"content":{"membership":"join"},"sender":"@c:x","state_key":"@c:x","type":"m.room.member"}
"##;

const CONTEXT_LINES: &str = r##"
!r end=t0
$1 @b:x 1 m.room.message {"body":"1"}
$2 @b:x 2 m.room.message {"body":"2"}
haos.unreadable [] $bad {"content":{},"event_id":"$bad","type":"m.room.message"}
m.room.member [@b:x] $b {"content":{"membership":"join"},"event_id":"$b","sender":"@b:x","state_key":"@b:x","type":"m.room.member"}
m.room.member [@d:x] $d {"content":{"membership":"leave"},"event_id":"$d","sender":"@d:x","state_key":"@d:x","type":"m.room.member"}
m.room.member [@e:x] $e {"content":{"membership":"leave"},"event_id":"$e","sender":"@e:x","state_key":"@e:x","type":"m.room.member"}
m.room.member [@f:x] $f {"content":{"membership":"leave"},"event_id":"$f","sender":"@f:x","state_key":"@f:x","type":"m.room.member"}
haos.unreadable [] - {"content":{"membership":"join"},"sender":"@c:x","state_key":"@c:x","type":"m.room.member"}
"##;

const MEMBERS_LINES: &str = r##"
m.room.member [@b:x] $b {"content":{"membership":"join"},"event_id":"$b","sender":"@b:x","state_key":"@b:x","type":"m.room.member"}
m.room.member [@d:x] $d {"content":{"membership":"leave"},"event_id":"$d","sender":"@d:x","state_key":"@d:x","type":"m.room.member"}
m.room.member [@e:x] $e {"content":{"membership":"leave"},"event_id":"$e","sender":"@e:x","state_key":"@e:x","type":"m.room.member"}
m.room.member [@f:x] $f {"content":{"membership":"leave"},"event_id":"$f","sender":"@f:x","state_key":"@f:x","type":"m.room.member"}
haos.unreadable [] - {"content":{"membership":"join"},"sender":"@c:x","state_key":"@c:x","type":"m.room.member"}
"##;
