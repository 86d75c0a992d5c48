/* proxy EVENTS-ENDPOINT FEED-ENDPOINT [PUBLIC SECRET]: libzmq's own zmq_proxy between an XSUB and an XPUB, for
   comparison; it looks at nothing, and with CURVE it lets everybody in. */
#include "clock.h"
#include <zmq.h>

static void *listen_at(void *context, int kind, const char *endpoint, const char *secret) {
    void *socket = zmq_socket(context, kind);
    int hwm = 2000, server = 1;
    zmq_setsockopt(socket, kind == ZMQ_XSUB ? ZMQ_RCVHWM : ZMQ_SNDHWM, &hwm, sizeof hwm);
    if (secret) {
        zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &server, sizeof server);
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret, 40);
    }
    if (zmq_bind(socket, endpoint)) fail("bind", zmq_strerror(zmq_errno()));
    return socket;
}

int main(int argc, char **argv) {
    if (argc < 3) fail("usage", "proxy EVENTS FEED [PUBLIC SECRET]");
    const char *secret = argc > 4 ? argv[4] : NULL;
    void *context = zmq_ctx_new();
    zmq_ctx_set(context, ZMQ_IO_THREADS, 2);
    void *events = listen_at(context, ZMQ_XSUB, argv[1], secret);
    void *feed = listen_at(context, ZMQ_XPUB, argv[2], secret);
    zmq_proxy(events, feed, NULL);
    return 0;
}
