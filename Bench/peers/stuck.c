/* stuck FEED-ENDPOINT [SERVER-KEY PUBLIC SECRET]: subscribes to everything and never reads. */
#include "clock.h"
#include <unistd.h>
#include <zmq.h>

int main(int argc, char **argv) {
    if (argc < 2) fail("usage", "stuck FEED [SERVER-KEY PUBLIC SECRET]");
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_SUB);
    int hwm = 1;
    zmq_setsockopt(socket, ZMQ_RCVHWM, &hwm, sizeof hwm);
    if (argc > 4) {
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, argv[2], 40);
        zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, argv[3], 40);
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, argv[4], 40);
    }
    zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0);
    if (zmq_connect(socket, argv[1])) fail("connect", zmq_strerror(zmq_errno()));
    for (;;) pause();
}
