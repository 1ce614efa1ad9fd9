//! Records, variants, enums and flags with kebab-case names; metadata for one export of several.

#![no_std]
extern crate alloc;

use alloc::vec::Vec;

use packr_guest::export;

packr_guest::setup_guest!();

packr_guest::pact! {
    record chat-msg { last-msg: string, sent-at: u64 }
    enum color { dark-red, pale-green }
    variant body { empty, plain-text(string), quoted(chat-msg) }
    flags perms { read, write-all }
    record entry { author: string, perms: perms, color: color }

    world shapes {
        export quote: func(msg: chat-msg) -> chat-msg
    }
}

packr_guest::pack_types! {
    record chat-msg { last-msg: string, sent-at: u64 }
    exports {
        interop:guest/shapes.quote: func(msg: chat-msg) -> chat-msg,
    }
}

#[export(name = "interop:guest/shapes.quote")]
fn quote(msg: ChatMsg) -> ChatMsg {
    ChatMsg { last_msg: alloc::format!("> {}", msg.last_msg), sent_at: msg.sent_at + 1 }
}

#[export(name = "interop:guest/shapes.repeat")]
fn repeat(msg: ChatMsg, times: u32) -> Vec<ChatMsg> {
    (0..times).map(|_| msg.clone()).collect()
}

#[export(name = "interop:guest/shapes.paint")]
fn paint(body: Body) -> Color {
    match body {
        Body::Empty => Color::PaleGreen,
        Body::PlainText(_) | Body::Quoted(_) => Color::DarkRed,
    }
}

#[export(name = "interop:guest/shapes.wrap")]
fn wrap(msg: ChatMsg) -> Body {
    Body::Quoted(msg)
}

#[export(name = "interop:guest/shapes.enter")]
fn enter(entry: Entry) -> Entry {
    entry
}
