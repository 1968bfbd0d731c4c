/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What the hil_i2c module and the process that plays its chips say to each other over /dev/hil-i2cN.
 *
 * read() yields one pending transfer: struct hil_i2c_request, then message_count structs
 * hil_i2c_message, then the bytes of the written messages in order. It blocks, or gives EAGAIN with
 * O_NONBLOCK; poll() works.
 * write() answers it: struct hil_i2c_answer, then the bytes of the read messages among the first
 * `result` ones, in order. A message with HIL_I2C_RECV_LEN set is answered by a count byte and that
 * many more bytes (plus length - 1 trailing ones, the PEC).
 * An answer to a transfer that has timed out meanwhile gives ESTALE and is dropped.
 *
 * Closing the device, by exit or by kill, ends a pending transfer with ENXIO at once.
 */
#ifndef HIL_I2C_H
#define HIL_I2C_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Bits of hil_i2c_message.flags, as in <linux/i2c.h>. */
#define HIL_I2C_READ 0x0001
#define HIL_I2C_TEN_BIT 0x0010
#define HIL_I2C_RECV_LEN 0x0400

/* Most bytes of one request or one answer. */
#define HIL_I2C_MAX_BYTES 65536

struct hil_i2c_request {
	__u32 sequence;
	__u32 message_count;
	__u64 start_mono_ns; /* CLOCK_MONOTONIC when the transfer reached the adapter */
};

struct hil_i2c_message {
	__u16 address;
	__u16 flags;
	__u16 length;
	__u16 reserved;
};

struct hil_i2c_answer {
	__u32 sequence;
	__s32 result; /* messages completed (fewer than asked: a short transfer), or a negative errno */
};

/* Number N of the adapter's /dev/i2c-N, returned by ioctl() itself. */
#define HIL_I2C_ADAPTER _IO('H', 1)

#endif
