/// Whose worker it is: names of workers count within one user of the bus, so that nobody ends or answers for the session
/// of somebody else's.
struct WorkerOwner: Sendable, Hashable {
    /// As the bus knows them; `local` is the user of a bus without keys.
    let user: String

    /// A worker's name everywhere outside of its own process: `acme/checks`; a service's own is its user's.
    func name(_ worker: String) -> String { owns(worker) ? worker : "\(user)/\(worker)" }

    func owns(_ worker: String) -> Bool { user == "local" || worker == user || worker.hasPrefix("\(user)/") }
}
