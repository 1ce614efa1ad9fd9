"""Merkle trees, signed notes, their keys and Ed25519, for verify.py: RFC 6962 and 8032, C2SP signed-note and -cosignature."""
import base64, hashlib, re

class Fault(Exception): """What was read is not what it should be: exit code 1."""
class Unreadable(Exception): """It is nothing that this program can read: exit code 2."""

def check(condition, problem, kind=Fault):
    if not condition:
        raise kind(problem)

def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

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
    def signers(self, keys, own):
        """Returns the names of known nodes, of known witnesses, and others. `own` is the key that the run itself names."""
        names, seen = ([], [], []), []
        for name, key_id, data in self.lines:
            found = [key for key in keys + [own] if key and (key.name, key.id) == (name, key_id)]
            check(not found or found[0].is_by(data, self.text), f"the signature of {name} does not hold")
            names[found[0].kind == b"\4" if found and found[0] in keys else 2].append(name)
            seen += found
        is_own = names[0] or not own or not self.lines or own in seen
        check(is_own, f"the signature of {own.name if own else ''} does not hold")
        return names

# --- The tree ---------------------------------------------------------------------------------------------------------
class Tree:
    """The tree of RFC 6962 as the roots of its perfect subtrees, largest first, and the heads that it had."""
    def __init__(self):
        self.roots, self.heads = [], ["0:" + sha().hex()]
    def add(self, leaf):
        node, size = sha(b"\0", leaf), len(self.heads) - 1
        while size & 1:
            node, size = sha(b"\1", self.roots.pop(), node), size >> 1
        self.roots.append(node)
        for left in self.roots[-2::-1]:
            node = sha(b"\1", left, node)
        self.heads.append(f"{len(self.heads)}:{node.hex()}")

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
