import Foundation
import Messages

/// An endpoint with its deployments, oldest first: decides which one serves, waits in reserve, or has to end.
struct Rollout: Sendable, Hashable {
    let endpoint: String
    /// The deployment that the endpoint's URL leads to.
    private(set) var current: String?
    private(set) var deployments: [Deployment]

    init(endpoint: String, current: String? = nil, deployments: [Deployment] = []) {
        self.endpoint = endpoint
        self.current = current
        self.deployments = deployments
    }

    enum Event: Sendable, Hashable {
        case began(Deployment)
        /// Its process answers its health check.
        case healthy(String)
        /// Its process ended, or never became healthy.
        case failed(String, reason: String)
        case canceled(String)
        /// The process of one that had been healthy ended.
        case died(String)
        /// It took over, died, and does not come up again.
        case troubled(String, reason: String)
        /// No process of it is left.
        case stopped(String)
        case passed(String)
        case testFailed(String, reason: String)
        case runEnded(String, succeeded: Bool)
        /// The one before is to be brought up, so that going back to it takes no time.
        case rollbackPrepared
        /// Takes back what serves; where that has an id, only this deployment.
        case rollback(reason: String, of: String? = nil)
    }

    /// What others get to know.
    enum Fact: Sendable, Hashable {
        case began(String)
        case finished(String, Outcome, message: String?)
        case rolledBack(String, restored: String?, reason: String)
        case changed(EndpointState)
    }

    enum EndpointState: String, Sendable, Hashable { case serving, unhealthy, stopped }

    struct Refusal: Error, Hashable, CustomStringConvertible { let description: String }

    subscript(id: String) -> Deployment? { deployments.first { $0.id == id } }

    var serving: Deployment? { current.flatMap { self[$0] } }

    var state: EndpointState {
        guard let serving else { return .stopped }
        return serving.isUp ? .serving : .unhealthy
    }

    /// Where a rollback leads: the last proven one before the current, going back in the order they took over.
    var predecessor: Deployment? {
        var seen: Set<String> = []
        var next = serving?.previous
        while let id = next, seen.insert(id).inserted, let candidate = self[id] {
            if candidate.isProven, !candidate.isRolledBack { return candidate }
            next = candidate.previous
        }
        return nil
    }

    /// How long, in seconds, requests under way to a deployment that is no longer wanted may still take: what replaced it
    /// says so, else it does itself; `nil`: neither does.
    func drain(of id: String) -> Double? {
        let replacing = deployments.last { $0.previous == id }?.recipe.target.drainSeconds
        return replacing ?? self[id]?.recipe.target.drainSeconds
    }

    mutating func handle(_ event: Event) throws(Refusal) -> [Fact] {
        switch event {
        case .began(let deployment):
            guard self[deployment.id] == nil else { return [] }
            deployments.append(deployment)
            return [.began(deployment.id)]
        case .healthy(let id): return healthy(id)
        case .failed(let id, let reason): return end(id, .failed, reason)
        case .canceled(let id): return end(id, .canceled, nil)
        case .died(let id): return down(id)
        case .troubled(let id, let reason):
            if self[id]?.phase == .serving { change(id) { $0.trouble = reason } }
            return []
        case .stopped(let id): return stopped(id)
        case .passed(let id): return passed(id)
        case .testFailed(let id, let reason):
            // Somebody else's deployment took over meanwhile: that one is not to blame.
            guard id == current else { return [] }
            return goBack(reason: reason)
        case .runEnded(let run, let succeeded): return runEnded(run, succeeded)
        case .rollbackPrepared:
            let candidate = try target()
            if !candidate.phase.isWanted { change(candidate.id) { $0.phase = .standby } }
            return []
        case .rollback(let reason, let id):
            guard id == nil || id == current else {
                throw Refusal(description: "endpoint '\(endpoint)' serves another deployment by now")
            }
            _ = try target()
            return goBack(reason: reason)
        }
    }

    private func target() throws(Refusal) -> Deployment {
        guard let serving else { throw Refusal(description: "endpoint '\(endpoint)' serves nothing") }
        guard let predecessor else {
            throw Refusal(
                description: "endpoint '\(endpoint)' has no version before \(serving.version) that passed")
        }
        return predecessor
    }
}

// MARK: - Transitions

extension Rollout {
    private mutating func change(_ id: String, _ body: (inout Deployment) -> Void) {
        guard let index = deployments.firstIndex(where: { $0.id == id }) else { return }
        body(&deployments[index])
    }

    private mutating func healthy(_ id: String) -> [Fact] {
        guard let deployment = self[id] else { return [] }
        switch deployment.phase {
        case .starting:
            // One in reserve is enough: the one that served until now.
            retireStandbys()
            let former = current
            if let former { change(former) { $0.phase = .standby } }
            change(id) {
                $0.phase = .serving
                $0.isUp = true
                $0.previous = former
                $0.outcome = .succeeded
            }
            current = id
            return [.finished(id, .succeeded, message: nil), .changed(.serving)]
        case .serving:
            change(id) {
                $0.isUp = true
                $0.trouble = nil
            }
            return deployment.isUp ? [] : [.changed(.serving)]
        case .standby:
            change(id) {
                $0.isUp = true
                $0.trouble = nil
            }
            return []
        case .retiring, .ended:
            return []
        }
    }

    private mutating func end(_ id: String, _ outcome: Outcome, _ message: String?) -> [Fact] {
        guard let deployment = self[id] else { return [] }
        switch deployment.phase {
        case .starting:
            change(id) {
                $0.phase = .retiring
                $0.outcome = outcome
                $0.message = message
            }
            return [.finished(id, outcome, message: message)]
        case .serving, .standby:
            // It had taken over; from then on a process that ends is started again.
            return down(id)
        case .retiring, .ended:
            return []
        }
    }

    private mutating func down(_ id: String) -> [Fact] {
        guard let deployment = self[id], deployment.isUp else { return [] }
        change(id) { $0.isUp = false }
        return id == current ? [.changed(.unhealthy)] : []
    }

    private mutating func stopped(_ id: String) -> [Fact] {
        guard let deployment = self[id] else { return [] }
        switch deployment.phase {
        case .retiring:
            change(id) {
                $0.phase = .ended
                $0.isUp = false
            }
            return []
        case .serving, .standby:
            // Wanted again while its process was being ended.
            return down(id)
        case .starting, .ended:
            return []
        }
    }

    private mutating func passed(_ id: String) -> [Fact] {
        change(id) { $0.isProven = true }
        if id == current { retireStandbys() }
        return []
    }

    private mutating func runEnded(_ run: String, _ succeeded: Bool) -> [Fact] {
        var facts: [Fact] = []
        for deployment in deployments where deployment.run == run {
            switch deployment.phase {
            case .starting: facts += end(deployment.id, .canceled, "its run ended")
            case .serving where succeeded || deployment.isProven:
                change(deployment.id) { $0.isProven = true }
                retireStandbys()
            case .serving:
                // Nobody has said that it works: what served before it did. Also with `on_fail: fail`, which leaves a
                // version that failed its test to the later steps of its run, and no longer.
                facts += goBack(reason: "its run ended without success, and the version has passed no smoke test")
            case .standby, .retiring, .ended: break
            }
        }
        return facts
    }

    private mutating func goBack(reason: String) -> [Fact] {
        guard let failing = serving else { return [] }
        let restored = predecessor
        change(failing.id) {
            $0.phase = .retiring
            $0.isRolledBack = true
            $0.isProven = false
        }
        if let restored { change(restored.id) { $0.phase = .serving } }
        current = restored?.id
        retireStandbys()
        return [.rolledBack(failing.id, restored: restored?.id, reason: reason), .changed(state)]
    }

    private mutating func retireStandbys() {
        for deployment in deployments where deployment.phase == .standby {
            change(deployment.id) { $0.phase = .retiring }
        }
    }
}
