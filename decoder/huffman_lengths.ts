/**
 * Lengths of Huffman codes, as zlib assigns them: what it does among equals, and what it does with codes that come out
 * too long, decides the size of a block by a byte now and then.
 *
 * @module
 */

/** A subtree: a symbol, or two subtrees. */
interface Node {
  readonly count: number;
  readonly depth: number;
  /** Symbols come first, then inner nodes in the order they were made. */
  readonly index: number;
  readonly children?: readonly [Node, Node];
}

/** Rarer first, then shallower. */
function before(a: Node, b: Node): boolean {
  return a.count < b.count || (a.count === b.count && a.depth <= b.depth);
}

/**
 * The code length of each symbol, 0 where it does not occur. At least two symbols get a code.
 *
 * @param counts How often each symbol occurs.
 * @param longest Longest code allowed.
 */
export function codeLengths(counts: Uint32Array, longest: number): Uint8Array {
  const heap = new NodeHeap();
  for (let index = 0; index < counts.length; index++) {
    if (counts[index] > 0) heap.append({ count: counts[index], depth: 0, index });
  }
  const used = new Set(heap.nodes.map((node) => node.index));
  while (heap.nodes.length < 2) {
    // The first symbols that are left, at no cost: they do not occur.
    const highest = Math.max(-1, ...used);
    const index = highest < 2 ? highest + 1 : 0;
    used.add(index);
    heap.append({ count: 1, depth: 0, index });
  }
  heap.arrange();
  // Nodes in the order they left the heap, the root last.
  const order: Node[] = [];
  let next = counts.length;
  while (heap.nodes.length >= 2) {
    const left = heap.take();
    const right = heap.nodes[0];
    order.push(left, right);
    heap.replaceFirst({
      count: left.count + right.count,
      depth: Math.max(left.depth, right.depth) + 1,
      index: next++,
      children: [left, right],
    });
  }
  order.push(heap.nodes[0]);
  return limited(order.reverse(), counts.length, longest);
}

/** Depths of the leaves, cut to the longest code; codes are then handed out anew, the longest to the rarest. */
function limited(fromRoot: readonly Node[], symbols: number, longest: number): Uint8Array {
  const depths = new Map<Node, number>([[fromRoot[0], 0]]);
  const ofLength = new Array<number>(longest + 1).fill(0);
  const lengths = new Uint8Array(symbols);
  let over = 0;
  for (const node of fromRoot) {
    const depth = depths.get(node)!;
    if (depth > longest) over++; // inner nodes that are too deep count as well
    const kept = Math.min(depth, longest);
    node.children?.forEach((child) => depths.set(child, kept + 1));
    if (node.children) continue;
    lengths[node.index] = kept;
    ofLength[kept]++;
  }
  if (over === 0) return lengths;
  for (; over > 0; over -= 2) {
    let shorter = longest - 1;
    while (ofLength[shorter] === 0) shorter--;
    // A code one longer makes room for itself and for one that is too long.
    ofLength[shorter]--;
    ofLength[shorter + 1] += 2;
    ofLength[longest]--;
  }
  const leaves = fromRoot.filter((node) => !node.children).reverse();
  let leaf = 0;
  for (let length = longest; length > 0; length--) {
    for (let n = ofLength[length]; n > 0; n--) lengths[leaves[leaf++].index] = length;
  }
  return lengths;
}

/** A binary heap whose moves among equals are those of zlib's. */
class NodeHeap {
  readonly nodes: Node[] = [];

  append(node: Node): void {
    this.nodes.push(node);
  }

  arrange(): void {
    for (let i = (this.nodes.length >> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  take(): Node {
    const first = this.nodes[0];
    const last = this.nodes.pop()!;
    if (this.nodes.length > 0) this.replaceFirst(last);
    return first;
  }

  replaceFirst(node: Node): void {
    this.nodes[0] = node;
    this.#sink(0);
  }

  #sink(from: number): void {
    const nodes = this.nodes;
    const node = nodes[from];
    let i = from;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= nodes.length) break;
      if (child + 1 < nodes.length && before(nodes[child + 1], nodes[child])) child++;
      if (before(node, nodes[child])) break;
      nodes[i] = nodes[child];
      i = child;
    }
    nodes[i] = node;
  }
}
