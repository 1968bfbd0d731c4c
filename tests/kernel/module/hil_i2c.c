// SPDX-License-Identifier: GPL-2.0
/*
 * Real I2C adapters whose chips are played by a process.
 *
 * Drivers bind to the emulated chips and i2c-dev reaches them as on a board, because below the I2C
 * core this is an adapter like any other. The process that has /dev/hil-i2cN open receives each
 * transfer and answers with data or with the errno a real controller would give; hil_i2c.h is the
 * protocol. No answer within timeout_ms is -ETIMEDOUT, nobody there is -ENXIO.
 */
#include <linux/fs.h>
#include <linux/i2c.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "hil_i2c.h"

static unsigned int buses = 1;
module_param(buses, uint, 0444);
MODULE_PARM_DESC(buses, "number of adapters (1 to 16)");

static unsigned int timeout_ms = 100;
module_param(timeout_ms, uint, 0644);
MODULE_PARM_DESC(timeout_ms, "how long a transfer waits for its answer");

struct hil_bus {
	struct i2c_adapter adapter;
	struct miscdevice device;
	char device_name[16];

	struct mutex lock; /* protects everything below */
	wait_queue_head_t request_ready;
	wait_queue_head_t answer_ready;
	bool open;
	/*
	 * Counts openings and closings. A transfer belongs to the process that was there when it
	 * began: one that was killed and replaced in between ends it too.
	 */
	u32 owner;
	bool pending; /* a request that nobody has read yet */
	bool answered;
	u32 sequence;
	s32 result;
	size_t request_bytes;
	size_t answer_bytes;
	u8 *request;
	u8 *answer;
};

static struct hil_bus *all_buses;

/* Lays the transfer out in bus->request. */
static int put_request(struct hil_bus *bus, struct i2c_msg *messages, int count)
{
	struct hil_i2c_request *head = (struct hil_i2c_request *)bus->request;
	struct hil_i2c_message *message = (struct hil_i2c_message *)(head + 1);
	u8 *data = (u8 *)(message + count);
	int i;

	if (data > bus->request + HIL_I2C_MAX_BYTES)
		return -EMSGSIZE;
	head->sequence = ++bus->sequence;
	head->message_count = count;
	head->start_mono_ns = ktime_get_ns();
	for (i = 0; i < count; i++, message++) {
		const struct i2c_msg *m = &messages[i];

		message->address = m->addr;
		message->flags = m->flags & (I2C_M_RD | I2C_M_TEN | I2C_M_RECV_LEN);
		message->length = m->len;
		message->reserved = 0;
		if (m->flags & I2C_M_RD)
			continue;
		if (m->len > bus->request + HIL_I2C_MAX_BYTES - data)
			return -EMSGSIZE;
		memcpy(data, m->buf, m->len);
		data += m->len;
	}
	bus->request_bytes = data - bus->request;
	return 0;
}

/* Hands the answer's bytes to the messages that were read; the number of completed messages or -errno. */
static int take_answer(struct hil_bus *bus, struct i2c_msg *messages, int count)
{
	const u8 *data = bus->answer;
	size_t left = bus->answer_bytes;
	int i;

	if (bus->result > count)
		return -EPROTO;
	for (i = 0; i < bus->result; i++) {
		struct i2c_msg *m = &messages[i];
		size_t bytes = m->len;

		if (!(m->flags & I2C_M_RD))
			continue;
		if (m->flags & I2C_M_RECV_LEN) {
			if (left < 1 || data[0] < 1 || data[0] > I2C_SMBUS_BLOCK_MAX)
				return -EPROTO;
			bytes += data[0];
		}
		if (left < bytes)
			return -EPROTO;
		memcpy(m->buf, data, bytes);
		m->len = bytes;
		data += bytes;
		left -= bytes;
	}
	return bus->result;
}

static int hil_transfer(struct i2c_adapter *adapter, struct i2c_msg *messages, int count)
{
	struct hil_bus *bus = i2c_get_adapdata(adapter);
	u32 owner;
	long left;
	int ret;

	mutex_lock(&bus->lock);
	if (!bus->open) {
		ret = -ENXIO;
		goto out;
	}
	ret = put_request(bus, messages, count);
	if (ret)
		goto out;
	owner = bus->owner;
	bus->pending = true;
	bus->answered = false;
	mutex_unlock(&bus->lock);

	wake_up_interruptible(&bus->request_ready);
	left = wait_event_killable_timeout(bus->answer_ready,
					   READ_ONCE(bus->answered) || READ_ONCE(bus->owner) != owner,
					   msecs_to_jiffies(READ_ONCE(timeout_ms)));

	mutex_lock(&bus->lock);
	bus->pending = false;
	if (bus->answered)
		ret = take_answer(bus, messages, count);
	else if (bus->owner != owner)
		ret = -ENXIO;
	else
		ret = left < 0 ? left : -ETIMEDOUT;
	bus->sequence++; /* an answer that comes now is late */
out:
	mutex_unlock(&bus->lock);
	return ret;
}

static u32 hil_functionality(struct i2c_adapter *adapter)
{
	return I2C_FUNC_I2C | I2C_FUNC_SMBUS_EMUL | I2C_FUNC_SMBUS_READ_BLOCK_DATA |
	       I2C_FUNC_SMBUS_BLOCK_PROC_CALL;
}

static const struct i2c_algorithm hil_algorithm = {
	.master_xfer = hil_transfer,
	.functionality = hil_functionality,
};

static struct hil_bus *bus_of(struct file *file)
{
	return container_of(file->private_data, struct hil_bus, device);
}

static int hil_open(struct inode *inode, struct file *file)
{
	struct hil_bus *bus = bus_of(file);
	int ret = 0;

	mutex_lock(&bus->lock);
	if (bus->open) {
		ret = -EBUSY;
	} else {
		bus->open = true;
		bus->owner++;
	}
	mutex_unlock(&bus->lock);
	return ret;
}

static int hil_release(struct inode *inode, struct file *file)
{
	struct hil_bus *bus = bus_of(file);

	mutex_lock(&bus->lock);
	bus->open = false;
	bus->owner++;
	bus->pending = false;
	mutex_unlock(&bus->lock);
	wake_up(&bus->answer_ready);
	return 0;
}

static ssize_t hil_read(struct file *file, char __user *to, size_t size, loff_t *offset)
{
	struct hil_bus *bus = bus_of(file);
	ssize_t ret;

	for (;;) {
		mutex_lock(&bus->lock);
		if (bus->pending)
			break;
		mutex_unlock(&bus->lock);
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_event_interruptible(bus->request_ready, READ_ONCE(bus->pending));
		if (ret)
			return ret;
	}
	if (size < bus->request_bytes) {
		ret = -EMSGSIZE;
	} else if (copy_to_user(to, bus->request, bus->request_bytes)) {
		ret = -EFAULT;
	} else {
		ret = bus->request_bytes;
		bus->pending = false;
	}
	mutex_unlock(&bus->lock);
	return ret;
}

static ssize_t hil_write(struct file *file, const char __user *from, size_t size, loff_t *offset)
{
	struct hil_bus *bus = bus_of(file);
	struct hil_i2c_answer head;
	ssize_t ret = size;

	if (size < sizeof(head) || size > HIL_I2C_MAX_BYTES)
		return -EINVAL;
	if (copy_from_user(&head, from, sizeof(head)))
		return -EFAULT;

	mutex_lock(&bus->lock);
	if (head.sequence != bus->sequence || bus->answered) {
		ret = -ESTALE;
	} else if (copy_from_user(bus->answer, from + sizeof(head), size - sizeof(head))) {
		ret = -EFAULT;
	} else {
		bus->result = head.result;
		bus->answer_bytes = size - sizeof(head);
		bus->answered = true;
	}
	mutex_unlock(&bus->lock);
	if (ret > 0)
		wake_up(&bus->answer_ready);
	return ret;
}

static __poll_t hil_poll(struct file *file, poll_table *table)
{
	struct hil_bus *bus = bus_of(file);

	poll_wait(file, &bus->request_ready, table);
	return EPOLLOUT | EPOLLWRNORM | (READ_ONCE(bus->pending) ? EPOLLIN | EPOLLRDNORM : 0);
}

static long hil_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	return command == HIL_I2C_ADAPTER ? bus_of(file)->adapter.nr : -ENOTTY;
}

static const struct file_operations hil_operations = {
	.owner = THIS_MODULE,
	.open = hil_open,
	.release = hil_release,
	.read = hil_read,
	.write = hil_write,
	.poll = hil_poll,
	.unlocked_ioctl = hil_ioctl,
	.llseek = no_llseek,
};

static void remove_bus(struct hil_bus *bus)
{
	misc_deregister(&bus->device);
	i2c_del_adapter(&bus->adapter);
	kfree(bus->request);
	kfree(bus->answer);
}

static int add_bus(struct hil_bus *bus, unsigned int number)
{
	int ret = -ENOMEM;

	bus->request = kzalloc(HIL_I2C_MAX_BYTES, GFP_KERNEL);
	bus->answer = kzalloc(HIL_I2C_MAX_BYTES, GFP_KERNEL);
	if (!bus->request || !bus->answer)
		goto free;
	mutex_init(&bus->lock);
	init_waitqueue_head(&bus->request_ready);
	init_waitqueue_head(&bus->answer_ready);
	snprintf(bus->device_name, sizeof(bus->device_name), "hil-i2c%u", number);
	snprintf(bus->adapter.name, sizeof(bus->adapter.name), "emulated board bus %u", number);
	bus->adapter.owner = THIS_MODULE;
	bus->adapter.algo = &hil_algorithm;
	i2c_set_adapdata(&bus->adapter, bus);
	bus->device.minor = MISC_DYNAMIC_MINOR;
	bus->device.name = bus->device_name;
	bus->device.fops = &hil_operations;

	ret = i2c_add_adapter(&bus->adapter);
	if (ret)
		goto free;
	ret = misc_register(&bus->device);
	if (ret) {
		i2c_del_adapter(&bus->adapter);
		goto free;
	}
	return 0;
free:
	kfree(bus->request);
	kfree(bus->answer);
	return ret;
}

static int __init hil_init(void)
{
	unsigned int i;
	int ret;

	if (buses < 1 || buses > 16)
		return -EINVAL;
	all_buses = kcalloc(buses, sizeof(*all_buses), GFP_KERNEL);
	if (!all_buses)
		return -ENOMEM;
	for (i = 0; i < buses; i++) {
		ret = add_bus(&all_buses[i], i);
		if (ret) {
			while (i--)
				remove_bus(&all_buses[i]);
			kfree(all_buses);
			return ret;
		}
	}
	return 0;
}

static void __exit hil_exit(void)
{
	unsigned int i;

	for (i = 0; i < buses; i++)
		remove_bus(&all_buses[i]);
	kfree(all_buses);
}

module_init(hil_init);
module_exit(hil_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("I2C adapters whose chips are played by a process (for tests)");
