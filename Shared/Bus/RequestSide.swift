import Foundation
import Messages

/// The request side towards all buses of one connection: asks the first that is there, and another when that one dies
/// (bus.md 2).
struct RequestSide: Sendable {
    /// What may be asked twice: the answer is the same, or the second is refused by its token or id. A `claim` is not
    /// among them: the steps of a lost answer hang on the session, which its worker opens anew.
    static let repeatable: Set<String> = [
        "fetch", "snapshot", "hello", "publish", "session.open", "session.keepalive", "checkpoint", "complete", "fail",
    ]
    /// How long a bus that is not connected is waited for before another is tried.
    private static let slice = Duration.milliseconds(250)

    let loops: [RequestLoop]

    func ask(_ frames: RequestFrames) async -> RequestLoop.Answer {
        guard loops.count > 1 else { return await loops[0].ask(frames, sendWithin: nil) }
        return frames.target == "bus" ? await askAll(frames) : await askOne(frames)
    }

    private func askOne(_ frames: RequestFrames) async -> RequestLoop.Answer {
        let deadline = uptime() + frames.deadline
        var frames = frames
        var answer = RequestLoop.Answer.failure(.unreachable(method: frames.method, target: frames.target))
        while !Task.isCancelled {
            var isUndelivered = false
            for loop in inOrder() {
                frames.deadline = deadline - uptime()
                guard frames.deadline > .zero else { return answer }
                answer = await loop.ask(frames, sendWithin: Self.slice)
                switch answer {
                // Never sent: it can be asked elsewhere, whatever it is.
                case .failure(.unreachable): continue
                case .failure(.connectionLost) where Self.repeatable.contains(frames.method): continue
                case .success(let reply) where reply.isUndelivered: isUndelivered = true
                case .success, .failure: return answer
                }
            }
            if isUndelivered { return answer }
        }
        return .failure(.canceled)
    }

    /// Connected and heard, then connected, then the others.
    private func inOrder() -> [RequestLoop] {
        loops.enumerated().sorted { ($0.element.standing, $0.offset) < ($1.element.standing, $1.offset) }.map(\.element)
    }

    /// Each bus keeps its own targets and heads. A refusal of one counts; a bus that is away is told when it is back.
    private func askAll(_ frames: RequestFrames) async -> RequestLoop.Answer {
        await withTaskGroup(of: (Int, RequestLoop.Answer).self) { group in
            for (index, loop) in loops.enumerated() {
                group.addTask { (index, await loop.ask(frames, sendWithin: nil)) }
            }
            var answers: [Int: RequestLoop.Answer] = [:]
            while let (index, answer) = await group.next() {
                answers[index] = answer
                let missing = loops.indices.filter { answers[$0] == nil && loops[$0].isConnected }
                if missing.isEmpty, answers.values.contains(where: { (try? $0.get()) != nil }) { break }
            }
            group.cancelAll()
            return Self.merge(answers.sorted { $0.key < $1.key }.map(\.value), frames)
        }
    }

    static func merge(_ answers: [RequestLoop.Answer], _ frames: RequestFrames) -> RequestLoop.Answer {
        let replies = answers.compactMap { try? $0.get() }
        if let refused = replies.first(where: { $0.status == 409 }) { return .success(refused) }
        if let good = replies.first(where: { $0.status == 200 }) { return .success(good) }
        return replies.first.map { .success($0) } ?? answers.first
            ?? .failure(.unreachable(method: frames.method, target: frames.target))
    }
}
