#!/usr/bin/env python3
"""A second verifier for runs of Theater, written from chain-format.md alone and independent of `theater`.

    python3 verify.py RUN|BUNDLE|PROOF|CHECKPOINT [--key KEY]... [--head SIZE:ROOT]     python3 verify.py --self-test

RUN is the directory of a run, BUNDLE a file that `theater export` wrote (both are read into memory), PROOF the proof of
one event, CHECKPOINT a signed head. KEY is the public key of a node or a witness, `name+id+base64`. Needs Python 3.9.
Exit code 0: intact and closed, and signed by a given node key or equal to the given head (a proof or a checkpoint:
signed by it or equal). 1: not so, and the lines say why. 2: it cannot be read.
Payloads are hashed, not looked into: nothing is said of packages that are not there.
"""
import base64, hashlib, io, os, re, struct, sys, zipfile, zlib

class Fault(Exception): """What was read is not what it should be: exit code 1."""
class Unreadable(Exception): """It is nothing that this program can read: exit code 2."""

def check(condition, problem, kind=Fault):
    if not condition:
        raise kind(problem)

def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

def tag(name, size=64):
    return (b"theater.run/chain/v1 " + name).ljust(size, b"\0")

# --- Ed25519 (RFC 8032) on points (x, y) ------------------------------------------------------------------------------
P, ORDER, NEUTRAL = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493, (0, 1)
D, IMAGINARY = -121665 * pow(121666, -1, P) % P, pow(2, (P - 1) // 4, P)

def add(a, b):
    d, cross = D * a[0] * b[0] * a[1] * b[1], a[0] * b[1] + a[1] * b[0]
    return cross * pow(1 + d, -1, P) % P, (a[1] * b[1] + a[0] * b[0]) * pow(1 - d, -1, P) % P

def multiply(factor, point):
    result = NEUTRAL
    for bit in bin(factor)[2:]:
        result = add(result, result)
        result = add(result, point) if bit == "1" else result
    return result

def point(data):
    number = int.from_bytes(data, "little")
    y, sign = number & 2**255 - 1, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    found = [x for x in (root, P - root, root * IMAGINARY % P, -root * IMAGINARY % P)
             if (x * x - square) % P == 0 and x < P and x & 1 == sign and y < P]
    return (found[0], y) if found else NEUTRAL

BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))

def has_signed(key, message, signature):
    """Says whether the signature is the key's. Points of small order, for which anything holds, are refused."""
    (x, y), s = point(key), int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    r = add(multiply(s, BASE), multiply(k, (P - x, y)))
    is_small = NEUTRAL in (multiply(8, (x, y)), multiply(8, r))
    return (r[1] | (r[0] & 1) << 255).to_bytes(32, "little") == signature[:32] and s < ORDER and not is_small

# --- Keys and notes: section "Checkpoint" -----------------------------------------------------------------------------
def unbase64(text):
    data = base64.b64decode(text, validate=True)
    check(base64.b64encode(data).decode() == text, "base64 in a second spelling", ValueError)
    return data

class Key:
    def __init__(self, text):
        self.name, key_id, data = text.split("+", 2)
        data = unbase64(data)
        self.id, self.kind, self.bytes = sha(self.name.encode(), b"\n", data)[:4], data[:1], data[1:]
        is_key = self.kind in (b"\1", b"\4") and len(data) == 33 and self.id.hex() == key_id
        check(is_key, "not a public key: " + text, ValueError)
    def is_by(self, data, text):
        if self.kind == b"\4":
            text = "cosignature/v1\ntime %d\n%s" % (int.from_bytes(data[:8], "big"), text)
            data = data[8:] if len(data) == 72 else b""
        return len(data) == 64 and has_signed(self.bytes, text.encode(), data)

class Note:
    LINE = "[^\0-\x1f\x7f-\x9f]+\n"
    FORM = re.compile(f"(({LINE})(0|[1-9][0-9]*)\n([^\n]+)\n((?:{LINE})*))\n((?:\u2014 [^\\s+]+ \\S+\n)*)")
    def __init__(self, data):
        try:
            self.text, self.origin, size, root, self.more, lines = self.FORM.fullmatch(data.decode()).groups()
            lines = [line.split(" ") for line in lines.split("\n")[:-1]]
            self.lines = [(name, unbase64(data)[:4], unbase64(data)[4:]) for _, name, data in lines]
            self.size, self.head = int(size), f"{size}:{unbase64(root).hex()}"
            check(len(self.head) == len(size) + 65 and all(it[2] for it in self.lines), "", ValueError)
        except (AttributeError, ValueError):
            raise Fault("the checkpoint differs from the run: not a checkpoint in signed-note form") from None
    def signers(self, keys):
        """Returns the names of the known nodes, of the known witnesses, and the others."""
        names = ([], [], [])
        for name, key_id, data in self.lines:
            key = ([key for key in keys if (key.name, key.id) == (name, key_id)] + [None])[0]
            check(not key or key.is_by(data, self.text), f"the signature of {name} does not hold")
            names[2 if not key else key.kind == b"\4"].append(name)
        return names

# --- Bytes, numbers, and the graph values that runs need: section "Graph values" --------------------------------------
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
    def skip_type(self):
        kind = self.unpack("B")
        for _ in range(self.unpack("I") if kind == 0x0B else kind in (0x07, 0x0A)):
            self.skip_type()
        return kind == 0x09 and self.text()

def node(kind, reader, values):
    def children(count):
        return [values[reader.unpack("I")] for _ in range(count)]
    if kind == 0x09:
        name, names = reader.text(), [reader.text() for _ in range(reader.unpack("I"))]
        return dict(zip(names, children(len(names))), **{"": name})
    if kind in (0x07, 0x0A):
        reader.skip_type()
    check(kind != 0x15 or reader.unpack("B") == 0x0C, "a list of something else than bytes")
    read = {0x06: reader.text, 0x0E: lambda: reader.unpack("I"), 0x0F: lambda: reader.unpack("Q"),
            0x15: lambda: reader.take(reader.unpack("I")), 0x07: lambda: children(reader.unpack("I")),
            0x0B: lambda: tuple(children(reader.unpack("I"))), 0x0A: lambda: (children(reader.unpack("B")) + [None])[0]}
    return read[kind]()

def record(data, name):
    """Returns the fields of a record, by name."""
    reader, values = Reader(data), []
    magic, version, flags, count, root = reader.unpack("4sHHII")
    for _ in range(count):
        kind, zero, zeros, length = reader.unpack("BBHI")
        inner = Reader(reader.take(length))
        values.append(node(kind, inner, values))
        flags |= zero | zeros | (inner.at != length)
    is_whole = (magic, version, flags, root, reader.at) == (b"CGRF", 3, 0, count - 1, len(data))
    check(is_whole and values[-1][""] == name, f"not the record {name}", ValueError)
    return values[-1]

# --- Hashes and the tree ----------------------------------------------------------------------------------------------
def commit(salt, sizes, payload):
    return sha(tag(b"payload"), salt, struct.pack("<II", *sizes), payload)

def commit_batch(previous, number, order, advances):
    return sha(tag(b"batch"), previous, struct.pack("<QII", number, sum(n for _, n in order), len(order)),
               *[struct.pack("<II", *run) for run in order], struct.pack("<I", len(advances)),
               *[struct.pack("<IQ", chain, seq) + head for chain, seq, head in advances])

def root_of_path(index, size, leaf, path):
    """Where a path leads from a leaf (RFC 9162, section 2.1.3.2); nowhere if its length is wrong."""
    node, last = sha(b"\0", leaf), size - 1
    for sibling in path:
        if last == 0:
            return None
        is_right = index & 1 or index == last
        node = sha(b"\1", sibling, node) if is_right else sha(b"\1", node, sibling)
        while is_right and not index & 1 and index:
            index, last = index >> 1, last >> 1
        index, last = index >> 1, last >> 1
    return node if last == 0 else None

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
        self.secret, self.roots, self.heads, self.events = files.get("secret", b""), [], ["0:" + sha().hex()], 0
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
        counts = number, 0, len(self.heads) - 1, self.events, self.previous, len(self.roots), len(live)
        expected = struct.pack("<8s2I64s2I2Q32s2I", magic, 1, length, self.run, *counts) + b"".join(self.roots + live)
        check(not self.is_closed, "something follows the end of the run")
        check(header == expected, "the segment does not continue the run")
        at = length
        while at < len(data):
            self.where, rest = f"{name}, offset {at}, batch {len(self.heads) - 1}", len(data) - at - 12
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
        counts = struct.pack("<2QI", len(self.heads) - 1, self.events, len(self.begun))
        self.is_closed = body == counts + self.previous + bytes.fromhex(self.heads[-1].split(":")[1])
        check(self.is_closed, "the trailer differs from the events")
    def batch(self, body):
        check(len(body) > 32, "corrupt: the batch has no events or no commitment")
        records, order, fuels, self.time = Reader(body[:-32]), [], {}, 0
        while records.at < len(body) - 32:
            chain, before = self.event(records, order[-1][0] if order else None, fuels), order[-1:]
            order[-1:] = [(chain, before[0][1] + 1)] if before and before[0][0] == chain else before + [(chain, 1)]
        advances = [(chain, self.live[chain][0] - 1, self.live[chain][2]) for chain in sorted(fuels)]
        self.previous = commit_batch(self.previous, len(self.heads) - 1, order, advances)
        check(self.previous == body[-32:], "altered: the events differ from the commitment of their batch")
        self.events += sum(count for _, count in order)
        node, size = sha(b"\0", self.previous), len(self.heads) - 1
        while size & 1:  # The tree is kept as the roots of its perfect subtrees, largest first.
            node, size = sha(b"\1", self.roots.pop(), node), size >> 1
        self.roots.append(node)
        for left in self.roots[-2::-1]:
            node = sha(b"\1", left, node)
        self.heads.append(f"{len(self.heads)}:{node.hex()}")
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
        return chain
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
        self.where, head, differs = "checkpoint", self.heads[-1], "the checkpoint differs from the run: "
        is_ours = note.origin == f"theater.run/{self.id}\n" and note.more in ("", "closed\n")
        check(is_ours, f"{differs}its origin is {note.origin.strip()}, or it says more than it should")
        check(note.head in self.heads, f"{differs}its head is {note.head}, that of the run is {head}")
        is_end = not note.more or (self.is_closed and note.head == head)
        check(is_end, differs + "it closes a run that goes on or lacks its end")

# --- What is asked ----------------------------------------------------------------------------------------------------
def vouch(note, keys, head, given):
    """Says who vouches for a head, and whether that is enough."""
    nodes, witnesses, others = note.signers(keys) if note else ([], [], [])
    print("signer       " + (", ".join(nodes) or f"nobody known ({', '.join(others) or 'unsigned'})"))
    print("witnesses    " + (", ".join(witnesses) or "none known"))
    print(f"head         {head}" + (f", given {given}" if given else ""))
    return given == head if given else bool(nodes)

def verify_run(files, keys, given):
    run, note = Run(files), None
    try:
        run.segments()
        run.check_blobs()
        if "checkpoint" in files:
            run.where, note = "checkpoint", Note(files["checkpoint"])
            run.check_note(note)
    except Fault as fault:
        raise Fault(f"{run.where}: {fault}") from None
    print(f"integrity    intact: {run.events} events in {len(run.begun)} chains and {len(run.heads) - 1} batches")
    print("completeness " + ("closed" if run.is_closed else f"incomplete; {run.torn} bytes of a torn batch follow"))
    print(f"redactions   {run.redacted} payloads" + ("" if len(run.secret) == 32 else "; the secret is not there"))
    is_vouched = vouch(note, keys, run.heads[-1], given)
    return run.is_closed and is_vouched and (given is not None or note.more == "closed\n")

def verify_proof(data, keys, given):
    proof = record(data, "event-proof")
    seq, sizes = int.from_bytes(proof["header"][2:10], "little"), (len(proof["input"]), len(proof["output"]))
    commitment = proof["commitment"] or commit(proof["salt"], sizes, proof["input"] + proof["output"])
    chain_head = sha(b"thevent1", proof["previous"], proof["header"], commitment)
    for number, (header, commitment) in enumerate(proof["after"], seq + 1):
        check(header[2:10] == struct.pack("<Q", number), "the events after it do not follow each other")
        chain_head = sha(b"thevent1", chain_head, header, commitment)
    advances = [(it["chain"], it["seq"], it["head"]) for it in proof["advances"]]
    is_end = (proof["chain"], seq + len(proof["after"]), chain_head) in advances and sorted(advances) == advances
    check(is_end and len({it[0] for it in advances}) == len(advances), "its batch does not end its chain there")
    leaf = commit_batch(proof["batch-previous"], proof["batch"], proof["order"], advances)
    is_in = proof["batch"] < proof["size"]
    is_in = is_in and root_of_path(proof["batch"], proof["size"], leaf, proof["path"]) == proof["root"]
    check(is_in, "its batch is not in the tree")
    print(f"event        {seq} of chain {proof['chain']} of run {proof['run']} is in the run with this head")
    head, note = f"{proof['size']}:{proof['root'].hex()}", Note((proof["checkpoint"] or "").encode())
    is_of_head = (note.origin, note.head) == (f"theater.run/{proof['run']}\n", head)
    return vouch(note if is_of_head else None, keys, head, given)

VECTORS = """  # RFC 8032, section 7.1, tests 2 and 3: public key, message, signature.
3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c 72 92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3
762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00
fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025 af82 6291d657deec24024827e69c3abe01a30ce548a284743a44
5e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"""

def self_test():
    lines = VECTORS.splitlines()[1:]
    for vector in (lines[0] + lines[1], lines[2] + lines[3]):
        key, message, signature = map(bytes.fromhex, vector.split())
        check(has_signed(key, message, signature), "a signature of RFC 8032 does not hold")
        for bit in range(0, 512, 37):
            other = (int.from_bytes(signature, "big") ^ 1 << bit).to_bytes(64, "big")
            check(not has_signed(key, message, other), "an altered signature holds")
        check(not has_signed(key, message + b"!", signature), "the signature of another message holds")
    print("self-test    the vectors of RFC 8032 hold, and no altered one does")
    return True

def main(words):
    if words == ["--self-test"]:
        return self_test()
    options = list(zip(words[1::2], words[2::2]))
    check(len(words) % 2 and all(name in ("--key", "--head") for name, _ in options), __doc__, Unreadable)
    keys, given = [Key(it) for name, it in options if name == "--key"], dict(options).get("--head")
    if os.path.isdir(words[0]):
        return verify_run(read_directory(words[0]), keys, given)
    data = read_file(words[0])
    if data[:2] == b"PK":
        return verify_run(read_bundle(data), keys, given)
    note = None if data[:4] == b"CGRF" else Note(data)
    return vouch(note, keys, note.head, given) if note else verify_proof(data, keys, given)

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
