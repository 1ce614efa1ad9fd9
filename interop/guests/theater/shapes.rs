//! Records, variants, enums and flags with kebab-case names.

mod bindings {
    theater_guest::generate!({
        inline: "package interop:guest;
                 interface shapes {
                     record chat-msg { last-msg: string, sent-at: u64 }
                     enum color { dark-red, pale-green }
                     variant body { empty, plain-text(string), quoted(chat-msg) }
                     flags perms { read, write-all }
                     record entry { author: string, perms: perms, color: color }
                     quote: func(msg: chat-msg) -> chat-msg;
                     repeat: func(msg: chat-msg, times: u32) -> list<chat-msg>;
                     paint: func(body: body) -> color;
                     wrap: func(msg: chat-msg) -> body;
                     enter: func(entry: entry) -> entry;
                 }
                 world guest { export shapes; }",
        world: "guest",
    });
}

use bindings::exports::interop::guest::shapes::{Body, ChatMsg, Color, Entry, Guest};

struct Component;

impl Guest for Component {
    fn quote(msg: ChatMsg) -> ChatMsg {
        ChatMsg { last_msg: format!("> {}", msg.last_msg), sent_at: msg.sent_at + 1 }
    }

    fn repeat(msg: ChatMsg, times: u32) -> Vec<ChatMsg> {
        (0..times).map(|_| msg.clone()).collect()
    }

    fn paint(body: Body) -> Color {
        match body {
            Body::Empty => Color::PaleGreen,
            Body::PlainText(_) | Body::Quoted(_) => Color::DarkRed,
        }
    }

    fn wrap(msg: ChatMsg) -> Body {
        Body::Quoted(msg)
    }

    fn enter(entry: Entry) -> Entry {
        entry
    }
}

bindings::export!(Component with_types_in bindings);
