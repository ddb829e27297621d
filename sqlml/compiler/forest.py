"""placeholder until lane d"""
def pack(node, kind): return b""
def outputs(node): return node.attributes["n_targets"]
