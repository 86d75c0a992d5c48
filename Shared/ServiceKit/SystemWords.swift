import Foundation

/// What the system says about a file, without Foundation's words around it.
enum SystemWords {
    static func reason(of error: any Error) -> String {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error
        guard let underlying = underlying.map({ $0 as NSError }), underlying.domain == NSPOSIXErrorDomain else {
            return error.localizedDescription
        }
        return String(cString: strerror(Int32(underlying.code)))
    }
}
