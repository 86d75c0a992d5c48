#include "network.h"

// libzmq as programs see it. Threads that are not simulated get the real one.

static const uint64_t socket_magic = 0x736f636b65747321;

socket_s *simulated(void *pointer) {
    socket_s *one = pointer;
    return here && one && one->magic == socket_magic ? one : NULL;
}

static int fail(int error) {
    here->network->error = error;
    errno = error;
    return -1;
}

void network_begin(void) { here->network = calloc(1, sizeof(network)); }

static void free_topics(char **topics, size_t count) {
    for (size_t i = 0; i < count; i++) free(topics[i]);
    free(topics);
}

static void socket_free(socket_s *old) {
    for (message *m = old->first, *next; m; m = next) {
        next = m->next;
        message_free(m);
    }
    message_free(old->reading);
    message_free(old->writing);
    free_topics(old->topics, old->topic_count);
    free(old->endpoint);
    free(old->monitor_at);
    free(old);
}

static void socket_close(socket_s *old) {
    network *n = here->network;
    for (link **at = &n->links; *at;) {
        link *one = *at;
        if (one->dialer == old) {
            *at = one->next;
            free_topics(one->topics, one->topic_count);
            free(one->endpoint);
            free(one);
            continue;
        }
        if (one->listener == old) hang_up(one);
        at = &one->next;
    }
    for (socket_s **at = &n->sockets; *at; at = &(*at)->next) {
        if ((*at)->monitor == old) (*at)->monitor = NULL;
        if (*at != old) continue;
        *at = old->next;
        break;
    }
    for (socket_s *one = n->sockets; one; one = one->next) {
        if (one->monitor == old) one->monitor = NULL;
    }
    socket_free(old);
}

void network_forget(int process) {
    for (socket_s *one = here->network->sockets, *next; one; one = next) {
        next = one->next;
        if (one->process == process) socket_close(one);
    }
}

void network_end(void) {
    while (here->network->sockets) socket_close(here->network->sockets);
    free(here->network);
}

uint64_t simulation_sent(void) { return here->network->sent; }
uint64_t simulation_lost(void) { return here->network->lost; }
void simulation_set_network(simulation_network faults) { here->faults = faults; }

// MARK: Contexts and sockets

void *zmq_ctx_new(void) { return here ? malloc(1) : REAL(zmq_ctx_new)(); }
int zmq_ctx_set(void *context, int option, int value) { return here ? 0 : REAL(zmq_ctx_set)(context, option, value); }
int zmq_ctx_term(void *context) {
    if (!here) return REAL(zmq_ctx_term)(context);
    free(context);
    return 0;
}

void *zmq_socket(void *context, int type) {
    if (!here) return REAL(zmq_socket)(context, type);
    socket_s *made = calloc(1, sizeof *made);
    made->magic = socket_magic;
    made->type = type;
    made->process = here->current;
    made->context = context;
    made->next = here->network->sockets;
    here->network->sockets = made;
    return made;
}

int zmq_close(void *pointer) {
    socket_s *one = simulated(pointer);
    // A dead process has no sockets any more.
    if (here && !is_alive(here->current)) return 0;
    if (!one) return REAL(zmq_close)(pointer);
    socket_close(one);
    return 0;
}

static int change_subscription(socket_s *one, const void *topic, size_t count, bool wanted) {
    for (size_t i = 0; !wanted && i < one->topic_count; i++) {
        if (strlen(one->topics[i]) != count || memcmp(one->topics[i], topic, count)) continue;
        free(one->topics[i]);
        one->topics[i] = one->topics[--one->topic_count];
        break;
    }
    if (wanted) {
        one->topics = realloc(one->topics, (one->topic_count + 1) * sizeof(char *));
        one->topics[one->topic_count++] = strndup(topic, count);
    }
    for (link *l = here->network->links; l; l = l->next) {
        if (l->dialer == one) tell_topic(l, topic, count, wanted);
    }
    return 0;
}

int zmq_setsockopt(void *pointer, int option, const void *value, size_t count) {
    if (here && !is_alive(here->current)) return 0;
    socket_s *one = simulated(pointer);
    if (!one) return REAL(zmq_setsockopt)(pointer, option, value, count);
    switch (option) {
    case ZMQ_SUBSCRIBE: return change_subscription(one, value, count, true);
    case ZMQ_UNSUBSCRIBE: return change_subscription(one, value, count, false);
    case ZMQ_XPUB_NODROP: one->is_nodrop = *(const int *)value; return 0;
    default: return 0;
    }
}

int zmq_bind(void *pointer, const char *endpoint) {
    if (here && !is_alive(here->current)) return fail(ETERM);
    socket_s *one = simulated(pointer);
    if (!one) return REAL(zmq_bind)(pointer, endpoint);
    // Of one context only: the door where libzmq asks about keys, and there are none.
    if (strncmp(endpoint, "inproc://", 9) == 0) return 0;
    for (socket_s *other = here->network->sockets; other; other = other->next) {
        if (other->endpoint && strcmp(other->endpoint, endpoint) == 0) return fail(EADDRINUSE);
    }
    one->endpoint = strdup(endpoint);
    return 0;
}

int zmq_connect(void *pointer, const char *endpoint) {
    if (here && !is_alive(here->current)) return fail(ETERM);
    socket_s *one = simulated(pointer);
    if (!one) return REAL(zmq_connect)(pointer, endpoint);
    for (socket_s *other = here->network->sockets; other; other = other->next) {
        if (!other->monitor_at || other->context != one->context || strcmp(other->monitor_at, endpoint)) continue;
        other->monitor = one;
        return 0;
    }
    link *made = calloc(1, sizeof *made);
    made->dialer = one;
    made->number = ++here->network->connections;
    made->endpoint = strdup(endpoint);
    made->next = here->network->links;
    here->network->links = made;
    dial(made);
    return 0;
}

int zmq_socket_monitor(void *pointer, const char *endpoint, int events) {
    if (here && !is_alive(here->current)) return fail(ETERM);
    socket_s *one = simulated(pointer);
    if (!one) return REAL(zmq_socket_monitor)(pointer, endpoint, events);
    one->monitor_at = strdup(endpoint);
    return 0;
}

// MARK: Sending

static int direction_from(link *one, socket_s *from) { return one->dialer == from ? to_listener : to_dialer; }

/// To everybody who wants it; where nothing may be dropped, to all or to nobody.
static bool publish(socket_s *from, message *sent) {
    for (link *one = here->network->links; one && from->is_nodrop; one = one->next) {
        if (one->is_up && one->dialer == from && !has_room(one, to_listener)) return false;
    }
    for (link *one = here->network->links; one; one = one->next) {
        if (!one->is_up || (one->dialer != from && one->listener != from)) continue;
        if (one->listener == from && !wants(one, &sent->frames[0])) continue;
        message *copy = message_copy(sent);
        if (!transmit(one, direction_from(one, from), copy, true)) message_free(copy);
    }
    message_free(sent);
    return true;
}

static bool ask(socket_s *from, message *sent) {
    size_t count = 0;
    for (link *one = here->network->links; one; one = one->next) count += one->is_up && one->dialer == from;
    if (count == 0) return false;
    size_t chosen = from->turn++ % count;
    for (link *one = here->network->links; one; one = one->next) {
        if (!one->is_up || one->dialer != from || chosen-- > 0) continue;
        return transmit(one, to_listener, sent, false);
    }
    return false;
}

static int answer(socket_s *from, message *sent) {
    for (link *one = here->network->links; one; one = one->next) {
        if (!one->is_up || one->listener != from || sent->frames[0].count != 5) continue;
        if (memcmp(one->identity, sent->frames[0].bytes, 5)) continue;
        message *onward = message_of(sent->frames + 1, sent->count - 1);
        if (!transmit(one, to_dialer, onward, false)) {
            message_free(onward);
            return EAGAIN;
        }
        message_free(sent);
        return 0;
    }
    return EHOSTUNREACH;
}

static int send_whole(socket_s *from, message *sent) {
    int problem = 0;
    switch (from->type) {
    case ZMQ_PUB:
    case ZMQ_XPUB: problem = publish(from, sent) ? 0 : EAGAIN; break;
    case ZMQ_DEALER: problem = ask(from, sent) ? 0 : EAGAIN; break;
    case ZMQ_ROUTER: problem = answer(from, sent); break;
    default: message_free(sent);
    }
    if (problem) message_free(sent);
    return problem;
}

int zmq_send(void *pointer, const void *bytes, size_t count, int flags) {
    if (here && !is_alive(here->current)) return (int)count;
    socket_s *one = simulated(pointer);
    if (!one) return REAL(zmq_send)(pointer, bytes, count, flags);
    if (!one->writing) one->writing = calloc(1, sizeof(message));
    message_add(one->writing, bytes, count);
    if (flags & ZMQ_SNDMORE) return (int)count;
    message *whole = one->writing;
    one->writing = NULL;
    int problem = send_whole(one, whole);
    return problem ? fail(problem) : (int)count;
}

int zmq_msg_send(zmq_msg_t *part, void *pointer, int flags) {
    if (!here) return REAL(zmq_msg_send)(part, pointer, flags);
    int result = zmq_send(pointer, zmq_msg_data(part), zmq_msg_size(part), flags);
    if (result >= 0) {
        zmq_msg_close(part);
        zmq_msg_init(part);
    }
    return result;
}

// MARK: Receiving

int zmq_msg_recv(zmq_msg_t *part, void *pointer, int flags) {
    if (here && !is_alive(here->current)) return fail(EAGAIN);
    socket_s *one = simulated(pointer);
    if (!one) return REAL(zmq_msg_recv)(part, pointer, flags);
    if (!one->reading) {
        message *next = one->first;
        if (!next) return fail(EAGAIN);
        one->first = next->next;
        if (!one->first) one->last = NULL;
        one->reading = next;
        one->read_count = 0;
        link *by = link_of(next);
        int direction = by && by->dialer == one ? to_dialer : to_listener;
        if (by && by->on_the_way[direction] > 0) by->on_the_way[direction]--;
        // A ROUTER says from whom.
        if (one->type == ZMQ_ROUTER) {
            message_add(next, next->identity, 5);
            frame identity = next->frames[next->count - 1];
            memmove(next->frames + 1, next->frames, (next->count - 1) * sizeof(frame));
            next->frames[0] = identity;
        }
    }
    frame *current = &one->reading->frames[one->read_count++];
    zmq_msg_close(part);
    zmq_msg_init_size(part, current->count);
    memcpy(zmq_msg_data(part), current->bytes, current->count);
    here->network->more = one->read_count < one->reading->count;
    if (!here->network->more) {
        message_free(one->reading);
        one->reading = NULL;
    }
    return (int)zmq_msg_size(part);
}

int zmq_msg_more(const zmq_msg_t *part) { return here ? here->network->more : REAL(zmq_msg_more)(part); }

int zmq_errno(void) { return here ? here->network->error : REAL(zmq_errno)(); }

// MARK: Waiting

static bool can_send(socket_s *one) {
    for (link *l = here->network->links; l; l = l->next) {
        if (l->is_up && l->dialer == one && has_room(l, to_listener)) return true;
    }
    return false;
}

static int count_ready(zmq_pollitem_t *items, int count) {
    int ready = 0;
    for (int i = 0; i < count; i++) {
        items[i].revents = 0;
        if (items[i].socket) {
            socket_s *one = simulated(items[i].socket);
            if (one && (one->first || one->reading)) items[i].revents |= ZMQ_POLLIN;
            if (one && (items[i].events & ZMQ_POLLOUT) && can_send(one)) items[i].revents |= ZMQ_POLLOUT;
        } else if (eventfd_is_readable(items[i].fd)) {
            items[i].revents |= ZMQ_POLLIN;
        }
        ready += items[i].revents != 0;
    }
    return ready;
}

int zmq_poll(zmq_pollitem_t *items, int count, long timeout) {
    if (!here) return REAL(zmq_poll)(items, count, timeout);
    uint64_t until = timeout < 0 ? UINT64_MAX : here->now + (uint64_t)timeout * 1000000;
    // A process that was killed in the middle of a call ends at its next wait.
    while (is_alive(here->current)) {
        int ready = count_ready(items, count);
        if (ready || here->now >= until) return ready;
        const void *what[16];
        for (int i = 0; i < count; i++)
            what[i] = items[i].socket ? items[i].socket : eventfd_of(items[i].fd);
        if (!wait_for(what, (size_t)count, until)) return 0;
    }
    wait_for(NULL, 0, UINT64_MAX);
    abort();
}
