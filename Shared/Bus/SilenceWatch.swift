import Foundation

/// Notices once that a source has not been heard for 15 s, and again after it was heard in between.
struct SilenceWatch: Sendable, Equatable {
    private var since: ContinuousClock.Instant
    private var wasTold = false

    init(since: ContinuousClock.Instant) { self.since = since }

    /// - Returns: how long the silence has lasted, when it is to be told. A silent bus explains a silent source.
    mutating func check(
        lastHeard: ContinuousClock.Instant?, isBusThere: Bool, now: ContinuousClock.Instant
    ) -> Duration? {
        if let lastHeard, lastHeard > since {
            since = lastHeard
            wasTold = false
        }
        guard isBusThere else {
            since = max(since, now)
            return nil
        }
        guard !wasTold, now - since >= Subscriber.silence else { return nil }
        wasTold = true
        return now - since
    }
}
