import Messages
import ProjectFile

/// Somebody who set off a run, alone or with others.
struct Requester: Sendable, Hashable, Codable {
    var name: String
    /// Of the token.
    var email: String?
}

/// A set of events that a pipeline waits for (`on: all`): whose it is, and what they belong together by.
struct GatheringPlace: Sendable, Hashable {
    var project: String
    var pipeline: String
    /// Of the declaration: with another one it is another set.
    var declaration: String
    var correlation: String
}

/// A cause that came as one part of a set, and waits for the others.
struct GatheredPart: Sendable, Hashable {
    var part: String
    var cause: String
    var expires: Timestamp
}

/// What has come of one set, the oldest first. Nothing that came is forgotten unless it is told: a part that comes
/// several times before the set is complete is in it several times.
struct Gathering: Sendable, Hashable {
    /// Of one part; more would make one run of very many causes.
    static let most = 50
    /// Bytes.
    static let longestCorrelation = 500

    var present: [GatheredPart]

    /// The names that nothing has come for.
    func missing(of conjunction: Conjunction) -> [String] {
        let here = Set(present.map(\.part))
        return conjunction.parts.map(\.name).filter { !here.contains($0) }
    }

    /// The causes of the set, each once.
    var causes: [String] { Self.distinct(present.map(\.cause)) }

    /// The parts that have come, each once.
    var names: [String] { Self.distinct(present.map(\.part)) }

    private static func distinct(_ texts: [String]) -> [String] {
        var seen: Set<String> = []
        return texts.filter { seen.insert($0).inserted }
    }

    /// The newest cause of each part: what expressions see as `event.all.<part>`.
    var newest: [String: String] { Dictionary(present.map { ($0.part, $0.cause) }, uniquingKeysWith: { $1 }) }

    /// The oldest of the parts of which there are too many.
    var surplus: [GatheredPart] {
        Dictionary(grouping: present, by: \.part).values.flatMap { $0.dropLast(Self.most) }
    }
}

extension Cause {
    private var requesters: [Requester] {
        [Requester(name: requester, email: requesterEmail)] + (otherRequesters ?? [])
    }

    /// It completes a set: the run sees what came of each part, begins where all that led to them is known, and is the wish
    /// of everybody who set off one of them.
    func completing(_ gathering: Gathering, of causes: [String: Cause]) -> Cause {
        var cause = self
        cause.heads = causes.values.reduce(heads) { $0.merging($1.heads) }
        var seen: Set<Requester> = [Requester(name: requester, email: requesterEmail)]
        let others = gathering.causes.compactMap { causes[$0] }.flatMap(\.requesters)
            .filter { seen.insert($0).inserted }
        cause.otherRequesters = others.isEmpty ? nil : others
        if case .object(var members) = event {
            members["all"] = .object(gathering.newest.compactMapValues { causes[$0]?.event })
            cause.event = .object(members)
        }
        return cause
    }

    /// What one stranger's request brings about completes nobody else's set.
    var strangersPlace: String { untrusted == true ? "/\(git?.branch ?? "")" : "" }
}
