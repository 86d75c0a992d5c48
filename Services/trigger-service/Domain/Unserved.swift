/// Offered steps that no worker could take, and since when, on a clock that no one can set.
///
/// Kept in memory: after a restart of the grantor workers get their time anew.
struct Unserved: Sendable {
    /// A worker that was started again is back by then.
    static let grace: Duration = .seconds(15)

    private struct Wait {
        var since: Duration
        var wasTold = false
    }

    /// How long a step waits for a worker that can do it; `nil`: for ever.
    let patience: Duration?
    private var waits: [String: Wait] = [:]

    init(patience: Duration?) { self.patience = patience }

    /// - Parameter items: those that nobody can take now.
    /// - Returns: those that are to be told of, once each, and those that are given up.
    mutating func look(_ items: Set<String>, now: Duration) -> (told: [String], over: [String]) {
        waits = waits.filter { items.contains($0.key) }
        for item in items where waits[item] == nil { waits[item] = Wait(since: now) }
        var told: [String] = []
        var over: [String] = []
        for (item, wait) in waits.sorted(by: { $0.key < $1.key }) {
            if let patience, now - wait.since >= patience {
                over.append(item)
            } else if !wait.wasTold, now - wait.since >= Self.grace {
                waits[item]?.wasTold = true
                told.append(item)
            }
        }
        return (told, over)
    }
}
