#pragma once
#include <errno.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <zmq.h>
