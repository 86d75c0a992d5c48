/// The first circle in which each waits for the next, as `[a, b, a]`; `nil` where there is none.
///
/// Time is bounded by the names and what they need together: a file may have thousands of jobs.
func cycle(among nodes: [(name: String, needs: Set<String>)]) -> [String]? {
    let all = Set(nodes.map(\.name))
    let needs = Dictionary(nodes.map { ($0.name, $0.needs.intersection(all)) }, uniquingKeysWith: { first, _ in first })
    var open = Set(nodes.map(\.name))
    // What needs nothing is in no circle, nor is what nobody waits for, nor what only such wait for.
    peel(&open, waiting: needs)
    var waiting: [String: Set<String>] = [:]
    for (name, needed) in needs { for one in needed { waiting[one, default: []].insert(name) } }
    peel(&open, waiting: waiting)
    guard var next = nodes.first(where: { open.contains($0.name) })?.name else { return nil }
    var path: [String] = []
    var places: [String: Int] = [:]
    while places[next] == nil {
        places[next] = path.count
        path.append(next)
        guard let further = needs[next]?.filter(open.contains).min() else { return nil }
        next = further
    }
    return Array(path[(places[next] ?? 0)...]) + [next]
}

/// Takes out what waits for nothing that is left, again and again.
private func peel(_ open: inout Set<String>, waiting: [String: Set<String>]) {
    var counts = waiting.mapValues { $0.count(where: open.contains) }
    var backward: [String: [String]] = [:]
    for (name, others) in waiting { for other in others { backward[other, default: []].append(name) } }
    var ready = open.filter { (counts[$0] ?? 0) == 0 }
    while let name = ready.popFirst() {
        open.remove(name)
        for other in backward[name] ?? [] where open.contains(other) {
            counts[other, default: 0] -= 1
            if counts[other] == 0 { ready.insert(other) }
        }
    }
}
