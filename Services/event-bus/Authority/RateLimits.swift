import Bus

/// The token bucket of each client; all keys of a client share it.
struct RateLimits: Sendable {
    private var buckets: [String: TokenBucket] = [:]

    mutating func take(_ client: Authority.Client, now: Duration) -> Bool {
        if client.rights.rate == .max { return true }
        let known = buckets[client.name]?.with(rate: client.rights.rate, now: now)
        var bucket = known ?? TokenBucket(rate: client.rights.rate, now: now)
        defer { buckets[client.name] = bucket }
        return bucket.take(now: now)
    }

    /// Only those who may still do something are kept.
    mutating func keep(_ names: Set<String>) { buckets = buckets.filter { names.contains($0.key) } }
}
