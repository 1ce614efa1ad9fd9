#!/usr/bin/env python3
"""A second verifier for what Theater records, written from chain-format.md alone and independent of `theater`.

    python3 verify.py WHAT [--key KEY]... [--witness KEY]... [--head SIZE:ROOT] [--checkpoint FILE]
    python3 verify.py --self-test

WHAT is the folder of a run, a bundle, a checkpoint, the proof of an event, or the folder of a node's log. KEY is a public
key, `name+id+base64`; a --witness must have cosigned. FILE is a checkpoint of the run that was kept elsewhere.
Exit code 0: intact, a run closed, and signed by a given key or equal to the given head (a log may go on after it).
1: not so, and the lines say why. 2: it cannot be read. Needs Python 3.9; reads everything into memory.
Payloads are hashed, not looked into: nothing is said of packages that are not there. Trees and signatures are in tlog.py.
"""
import base64, io, os, re, struct, sys, zipfile, zlib
from tlog import Fault, Key, Note, Tree, Unreadable, check, root_of_path, self_test, sha, unbase64

def tag(name, size=64):
    return (b"theater.run/chain/v1 " + name).ljust(size, b"\0")

# --- Bytes and numbers ------------------------------------------------------------------------------------------------
class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0
    def take(self, size):
        self.at += size
        check(self.at <= len(self.data), "corrupt: the record ends early")
        return self.data[self.at - size:self.at]
    def unpack(self, form):
        found = struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))
        return found if len(found) > 1 else found[0]
    def several(self, form):
        return [self.unpack(form) for _ in range(self.unpack("I"))]
    def varint(self, bits=64):
        value, place, byte = 0, 0, 128
        while byte >= 128:
            byte = self.unpack("B")
            value, place = value | (byte & 127) << place, place + 7
            is_short = value >> bits == 0 and place <= 70 and (byte != 0 or place == 7)
            check(is_short, "corrupt: a number is not in its shortest form or too large")
        return value
    def text(self):
        return self.take(self.unpack("I")).decode()

def record(data):
    """Returns the fields of a record of texts, numbers, and options of texts (section "Graph values")."""
    reader, values = Reader(data), []
    for _ in range(reader.unpack("8xI4x")):
        kind, length = reader.unpack("B3xI")
        it = Reader(reader.take(length))
        if kind == 0x09:
            names = it.text() and [it.text() for _ in range(it.unpack("I"))]
            return dict(zip(names, [values[it.unpack("I")] for _ in names]))
        if kind == 0x0A:
            values.append(values[it.unpack("I")] if it.unpack("xB") else None)
        else:
            values.append(it.text() if kind == 0x06 else it.unpack("I" if kind == 0x0E else "Q"))

# --- Hashes -----------------------------------------------------------------------------------------------------------
def commit(salt, sizes, payload):
    return sha(tag(b"payload"), salt, struct.pack("<II", *sizes), payload)

def commit_batch(previous, number, tail):
    return sha(tag(b"batch"), previous, struct.pack("<Q", number), tail)

# --- Files: of a directory, or of a bundle (section "Bundles") --------------------------------------------------------
NAMES = re.compile("lock|checkpoint|secret|journal/[0-9]{6,}[.]seg|blobs/[0-9a-f]{64}([.]payload)?")

def read_file(name):
    with open(name, "rb") as file:
        return file.read()

def read_directory(path):
    names = [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]
    return {os.path.relpath(name, path).replace(os.sep, "/"): read_file(name) for name in names}

def read_bundle(data):
    """Accepts only the bytes that writing its files again gives: nothing overlaps, nothing is hidden."""
    copy, foreign = io.BytesIO(), "damaged, or not a bundle as `theater export` writes it"
    with zipfile.ZipFile(io.BytesIO(data)) as bundle, zipfile.ZipFile(copy, "w") as again:
        entries = sorted(bundle.infolist(), key=lambda it: it.filename)
        is_stored = sum(it.file_size for it in entries) < len(data) and not any(it.compress_type for it in entries)
        check(is_stored and all(NAMES.fullmatch(it.filename) for it in entries), foreign, Unreadable)
        files = {it.filename: bundle.read(it) for it in entries}
        for name in files:
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            again.writestr(info, files[name])
    check(copy.getvalue() == data and files, foreign, Unreadable)
    return files

# --- A run ------------------------------------------------------------------------------------------------------------
CHECKSUM, SPELLING = "corrupt: the checksum does not match", "corrupt: the record has a second spelling"
MISSING = "the secret of the run is missing or damaged, and the payload does not carry its salt"

class Run:
    def __init__(self, files):
        self.files, self.where, self.is_closed, self.redacted, self.torn = files, "", False, 0, 0
        self.secret, self.tree, self.events, self.key = files.get("secret", b""), Tree(), 0, None
        self.live, self.begun, self.blobs = {}, set(), {}
    def segments(self):
        names = {name for name in self.files if name.startswith("journal/")}
        check(names, "not a run: it has no journal", Unreadable)
        expected = [f"journal/{number:06}.seg" for number in range(len(names))]
        for self.where in sorted(names - set(expected)):
            self.where = self.where if not NAMES.fullmatch(self.where) else min(set(expected) - names)
            raise Fault("the segment is missing" if self.where in expected else "not a file of this run")
        end = self.files[expected[-1]][-96:]
        has_end = end[:8] == b"TRLR\x54\0\0\0" and end[8:12] == struct.pack("<I", zlib.crc32(end[:8] + end[12:]))
        for number, name in enumerate(expected):
            self.segment(number, name, self.files[name], name == expected[-1] and not has_end)
    def segment(self, number, name, data, may_be_torn):
        self.where, self.live = name + ", offset 0", {chain: it for chain, it in self.live.items() if not it[3]}
        magic, version, length, run = struct.unpack("<8s2I64s", data[:80].ljust(80, b"\0"))
        if len(data) < max(144, length) or not any(data):
            self.torn = len(data)
            return check(may_be_torn and number > 0, "truncated")
        check(magic == b"THTRSEG\n" and version < 2, f"{name} is no segment, or of a newer format", Unreadable)
        header, run_id = data[:length - 4], re.fullmatch(b"([A-Za-z0-9_-][A-Za-z0-9._-]*)\0*", run)
        is_sound = zlib.crc32(header) == int.from_bytes(data[length - 4:length], "little")
        check(length >= 148 and version and run_id and is_sound, CHECKSUM)
        if number == 0:
            self.run, self.id, self.previous = run, run_id[1].decode(), sha(tag(b"start"), struct.pack("<I", 1), run)
        live = [struct.pack("<IQ", chain, it[0]) + it[1] + it[2] for chain, it in sorted(self.live.items())]
        roots, batches = self.tree.roots, len(self.tree.heads) - 1
        counts = number, 0, batches, self.events, self.previous, len(roots), len(live)
        expected = struct.pack("<8s2I64s2I2Q32s2I", magic, 1, length, self.run, *counts) + b"".join(roots + live)
        check(not self.is_closed, "something follows the end of the run")
        check(header == expected, "the segment does not continue the run")
        at = length
        while at < len(data):
            self.where, rest = f"{name}, offset {at}, batch {len(self.tree.heads) - 1}", len(data) - at - 12
            kind, length, crc = struct.unpack("<4s2I", data[at:at + 12].ljust(12, b"\0"))
            is_frame, body = kind in (b"BTCH", b"TRLR") and length <= 8 << 20, data[at + 12:at + 12 + length]
            check(not self.is_closed, "something follows the end of the run")
            is_short = rest < 0 or (is_frame and length > rest)
            if is_short or not is_frame or zlib.crc32(data[at:at + 8] + body) != crc:
                self.torn, is_last = rest + 12, length == rest if is_frame else not any(data[at:])
                return check(may_be_torn and (is_short or is_last), "truncated" if is_short else CHECKSUM)
            self.batch(body) if kind == b"BTCH" else self.trailer(body)
            at += 12 + length

    def trailer(self, body):
        counts = struct.pack("<2QI", len(self.tree.heads) - 1, self.events, len(self.begun))
        self.is_closed = body == counts + self.previous + bytes.fromhex(self.tree.heads[-1].split(":")[1])
        check(self.is_closed, "the trailer differs from the events")
    def batch(self, body):
        check(len(body) > 32, "corrupt: the batch has no events or no commitment")
        records, order, fuels, self.time = Reader(body[:-32]), [], {}, 0
        while records.at < len(body) - 32:
            chain, before = self.event(records, order[-1][0] if order else None, fuels), order[-1:]
            order[-1:] = [(chain, before[0][1] + 1)] if before and before[0][0] == chain else before + [(chain, 1)]
        self.events += sum(count for _, count in order)
        runs = [struct.pack("<2I", *run) for run in order]
        heads = [struct.pack("<IQ32s", chain, self.live[chain][0] - 1, self.live[chain][2]) for chain in sorted(fuels)]
        tail = [struct.pack("<2I", sum(it[1] for it in order), len(runs)), *runs, struct.pack("<I", len(heads)), *heads]
        self.previous = commit_batch(self.previous, len(self.tree.heads) - 1, b"".join(tail))
        check(self.previous == body[-32:], "altered: the events differ from the commitment of their batch")
        self.tree.add(self.previous)
    def event(self, records, before, fuels):
        flags = records.unpack("B")
        kind, is_first, chain = flags & 15, bool(flags & 128), records.varint(32) if flags & 16 else before
        outcome = records.unpack("B") if flags & 32 else 0
        form = records.unpack("B") if flags & 64 else 0
        for what, number, most in ("event kind", kind, 10), ("outcome", outcome, 5), ("payload form", form, 4):
            check(number <= most, f"corrupt: the {what} {number} is unknown")
        difference, function = records.varint(), (records.varint(32) - 1) % 2**32
        self.time = (self.time + (difference >> 1 ^ -(difference & 1))) % 2**64
        seq, fuel = records.varint() if is_first else None, records.varint()
        fuel = fuel if is_first else (fuels.get(chain, 0) + (fuel >> 1 ^ -(fuel & 1))) % 2**64
        sizes = (0, 0) if form == 4 else (records.varint(32), records.varint(32))
        salt = records.take(16) if form in (1, 3) else b""
        payload = records.take(32 if form > 1 else sum(sizes))
        is_spelt = chain is not None and not (flags & 16 and chain == before)
        check(is_spelt and bool(outcome) == bool(flags & 32) and bool(form) == bool(flags & 64), SPELLING)
        next_seq, chain_id, head, is_ended = self.live.get(chain, (0, bytes(32), bytes(32), False))
        check(not is_ended, "an event after the exit of the chain")
        check(kind or chain not in self.begun, "a second genesis of the chain")
        check(not kind or chain in self.live, "an event of a chain that has no genesis")
        check(seq in (None, next_seq), f"the event says it is {seq}, the next of the chain is {next_seq}")
        check(is_first == (chain not in fuels), SPELLING)
        if form in (0, 2) and len(self.secret) == 32:
            salt = sha(tag(b"salt", 32), self.secret, chain_id, struct.pack("<Q", next_seq or chain))[:16]
        check(salt or form in (2, 4), MISSING)
        commitment = payload if form > 1 else commit(salt, sizes, payload)
        header = struct.pack("<2B2QIQ", kind, outcome, next_seq, self.time, function, fuel)
        head = sha(b"thevent1", head, header, commitment)
        self.live[chain], fuels[chain] = (next_seq + 1, chain_id if next_seq else head, head, kind == 10), fuel
        self.redacted += form == 4
        self.blobs.update({payload.hex(): (salt, sizes)} if form in (2, 3) and salt else {})
        self.begun.add(chain)
        if chain == kind == 0:
            self.note_key(self.files.get(f"blobs/{payload.hex()}.payload", b"") if form > 1 else payload)
        return chain
    def note_key(self, genesis):
        """The runtime names the key that the run will be signed with."""
        try:
            self.key = Key(record(genesis)["node-key"])
        except (Fault, LookupError, TypeError, ValueError, AttributeError):
            self.key = None
    def check_blobs(self):
        for self.where in sorted(name for name in self.files if name.startswith("blobs/")):
            name = re.fullmatch("blobs/([0-9a-f]{64})([.]payload)?", self.where)
            is_ours = name and (not name[2] or name[1] in self.blobs)
            check(is_ours or not self.is_closed, "not a file of this run")
            data = self.files[self.where] if is_ours else b""
            salt, sizes = self.blobs.pop(name[1]) if is_ours and name[2] else (b"", None)
            found = commit(salt, sizes, data) if sizes else sha(data)
            is_same = not is_ours or (found.hex() == name[1] and sum(sizes or [len(data)]) == len(data))
            check(is_same, "altered: the blob differs from its name")
        for commitment in sorted(self.blobs):
            self.where = f"blobs/{commitment}.payload"
            raise Fault("the blob is missing")
    def check_note(self, note):
        self.where, head, differs = "checkpoint", self.tree.heads[-1], "the checkpoint differs from the run: "
        is_ours = note.origin == f"theater.run/{self.id}\n" and note.more in ("", "closed\n")
        check(is_ours, f"{differs}its origin is {note.origin.strip()}, or it says more than it should")
        check(note.head in self.tree.heads, f"{differs}its head is {note.head}, that of the run is {head}")
        is_end = not note.more or (self.is_closed and note.head == head)
        check(is_end, differs + "it closes a run that goes on or lacks its end")

# --- What is asked ----------------------------------------------------------------------------------------------------
class Trust:
    def __init__(self, words):
        of = {"--key": [], "--witness": [], "--head": [], "--checkpoint": []}
        check(len(words) % 2 == 0 and all(word in of for word in words[::2]), __doc__, Unreadable)
        for option, word in zip(words[::2], words[1::2]):
            of[option].append(word)
        self.witnesses = [Key(text) for text in of["--witness"]]
        check(all(key.kind == b"\4" for key in self.witnesses), "a --witness is not the key of one", Unreadable)
        self.keys = [Key(text) for text in of["--key"]] + self.witnesses
        self.head, self.notes = (of["--head"] or [None])[-1], [read_note(read_file(name)) for name in of["--checkpoint"]]
        check(not self.head or re.fullmatch("(0|[1-9][0-9]*):[0-9a-f]{64}", self.head), "not a head", Unreadable)
    def vouches(self, note, head, earlier=(), own=None):
        """Says who vouches for a head, and whether that is enough. The given head may be one of the earlier ones."""
        nodes, witnesses, others = note.signers(self.keys, own) if note else ([], [], [])
        missing = [key.name for key in self.witnesses if key.name not in witnesses]
        print("signer       " + (", ".join(nodes) or f"nobody known ({', '.join(others) or 'unsigned'})"))
        print("witnesses    " + (", ".join(witnesses) or "none known") + "".join("; missing: " + it for it in missing))
        print(f"head         {head}" + (f", given {self.head}" if self.head else ""))
        return not missing and (self.head == head or (bool(nodes) and self.head in (None, *earlier)))

def read_note(data):
    try:
        return Note(data)
    except Fault:
        raise Unreadable("neither a run, a bundle, a checkpoint, a proof nor a log") from None

def verify_run(files, trust):
    run, notes = Run(files), []
    try:
        run.segments()
        run.check_blobs()
        run.where = "checkpoint"
        notes = [Note(files["checkpoint"])] if "checkpoint" in files else []
        notes += trust.notes
        for note in notes:
            run.check_note(note)
    except Fault as fault:
        raise Fault(f"{run.where}: {fault}") from None
    head = run.tree.heads[-1]
    print(f"integrity    intact: {run.events} events in {len(run.begun)} chains and {len(run.tree.heads) - 1} batches")
    print("completeness " + ("closed" if run.is_closed else f"incomplete; {run.torn} bytes of a torn batch follow"))
    print(f"redactions   {run.redacted} payloads" + ("" if len(run.secret) == 32 else "; the secret is not there"))
    for note in notes[:-1]:
        note.signers(trust.keys, run.key)
    is_vouched = trust.vouches(notes[-1] if notes else None, head, own=run.key)
    return run.is_closed and is_vouched and (trust.head or notes[-1].more) is not None

def verify_proof(data, trust):
    """A C2SP tlog-proof whose extra line leads from an event to the batch that is its leaf."""
    form = "c2sp.org/tlog-proof@v1\nextra (\\S+)\nindex (0|[1-9][0-9]*)\n((?:\\S{44}\n){0,64})\n(.*)"
    found = re.fullmatch(form, data.decode(), re.DOTALL)
    check(found, "not a proof in tlog-proof form")
    extra, index, path, note = unbase64(found[1]), int(found[2]), found[3].split(), Note(found[4].encode())
    it = Reader(extra)
    chain, header, head, form = it.unpack("I30s32sB")
    salt, *sizes = it.unpack("16s2I") if form == 1 else (b"", 0, 0)
    check(form in (1, 4), "not a proof in tlog-proof form")
    head = sha(b"thevent1", head, header, commit(salt, sizes, it.take(sum(sizes))) if form == 1 else it.take(32))
    first = seq = int.from_bytes(header[2:10], "little")
    for later, commitment in it.several("30s32s"):
        seq, head = seq + 1, sha(b"thevent1", head, later, commitment)
        check(later[2:10] == struct.pack("<Q", seq), "the events after it do not follow each other")
    previous, tail = it.take(32), extra[it.at:]
    events, runs, advances = it.unpack("I"), it.several("2I"), it.several("IQ32s")
    check(events == sum(it[1] for it in runs) and it.at == len(extra), "its batch is not whole")
    chains = [advance[0] for advance in advances]
    check((chain, seq, head) in advances and chains == sorted(set(chains)), "its batch does not end its chain there")
    root = root_of_path(index, note.size, commit_batch(previous, index, tail), [unbase64(text) for text in path])
    is_in = index < note.size and root and f"{note.size}:{root.hex()}" == note.head
    check(is_in and note.origin.startswith("theater.run/"), "its batch is not in the tree")
    print(f"event        {first} of chain {chain} of {note.origin.strip()} is in the run with this head")
    return trust.vouches(note, note.head)

def verify_log(files, trust):
    """A node's log: the leaf of a finished run is the hash of its closing checkpoint."""
    check(b"\n" in files["entries"] or "checkpoint" in files, "the log was not begun", Unreadable)
    origin, *lines = files["entries"][:files["entries"].rfind(b"\n")].decode().split("\n")
    tree, note = Tree(), Note(files["checkpoint"]) if "checkpoint" in files else None
    for line in lines:
        entry = re.fullmatch("([A-Za-z0-9_-][A-Za-z0-9._-]{0,63}) (0|[1-9][0-9]*):([0-9a-f]{64})", line)
        check(entry, "an entry of the log is none")
        root = base64.b64encode(bytes.fromhex(entry[3])).decode()
        tree.add(sha(f"theater.run/{entry[1]}\n{entry[2]}\n{root}\nclosed\n".encode()))
    check(re.fullmatch("theater.log/[0-9a-f]{16}", origin), "its first line is not its name")
    check(not note or (note.origin.strip(), note.more) == (origin, ""), "its checkpoint is of another log")
    check(not note or note.head in tree.heads, "the log does not continue its checkpoint: it was rewound or altered")
    print(f"log          {origin}: {len(lines)} finished runs, {note.size if note else 0} of them signed")
    return trust.vouches(note, note.head if note else tree.heads[-1], tree.heads)

def main(words):
    if words == ["--self-test"]:
        return self_test()
    check(words, __doc__, Unreadable)
    what, trust = words[0], Trust(words[1:])
    if os.path.isdir(what):
        is_log = os.path.isfile(os.path.join(what, "entries")) and not os.path.isdir(os.path.join(what, "journal"))
        return (verify_log if is_log else verify_run)(read_directory(what), trust)
    data = read_file(what)
    if data[:2] == b"PK":
        return verify_run(read_bundle(data), trust)
    if data.startswith(b"c2sp.org/tlog-proof@v1"):
        try:
            return verify_proof(data, trust)
        except (ValueError, TypeError, struct.error) as error:
            raise Fault(f"not a proof in tlog-proof form: {error}") from None
    note = read_note(data)
    print(f"checkpoint   {note.origin.strip()}")
    return trust.vouches(note, note.head)

def exit_code(words):
    try:
        return 0 if main(words) else 1
    except Fault as fault:
        print(f"integrity    broken: {fault}")
        return 1
    except (Unreadable, OSError, LookupError, ValueError, TypeError, struct.error, RuntimeError, zipfile.BadZipFile) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2

if __name__ == "__main__":
    sys.exit(exit_code(sys.argv[1:]))
