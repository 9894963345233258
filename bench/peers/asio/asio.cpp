/* SPDX-License-Identifier: ISC */
/*
 * An echo server: sessions of asynchronous reads and writes, and threads that
 * run one io_context.
 *
 * usage: asio-echo PORT WORKERS
 */
#include <array>
#include <asio.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

using asio::ip::tcp;

class session : public std::enable_shared_from_this<session> {
public:
	explicit session(tcp::socket socket) : socket_(std::move(socket)) {}

	void read()
	{
		auto self = shared_from_this();

		socket_.async_read_some(asio::buffer(data_),
		    [this, self](std::error_code error, std::size_t size) {
			    if (!error)
				    write(size);
		    });
	}

private:
	void write(std::size_t size)
	{
		auto self = shared_from_this();

		asio::async_write(socket_, asio::buffer(data_, size),
		    [this, self](std::error_code error, std::size_t) {
			    if (!error)
				    read();
		    });
	}

	tcp::socket socket_;
	std::array<char, 16384> data_;
};

static void
accept(tcp::acceptor &acceptor)
{
	acceptor.async_accept([&](std::error_code error, tcp::socket socket) {
		if (!error) {
			std::error_code ignored;

			socket.set_option(tcp::no_delay(true), ignored);
			std::make_shared<session>(std::move(socket))->read();
		}
		accept(acceptor);
	});
}

int
main(int argc, char **argv)
{
	if (argc != 3) {
		std::fputs("usage: asio-echo PORT WORKERS\n", stderr);
		return 1;
	}
	unsigned short port = std::atoi(argv[1]);
	int workers = std::atoi(argv[2]);
	asio::io_context context(workers);
	tcp::acceptor acceptor(context,
	    {asio::ip::address_v4::loopback(), port});
	std::vector<std::thread> threads;

	accept(acceptor);
	for (int i = 1; i < workers; i++)
		threads.emplace_back([&] { context.run(); });
	context.run();
}
