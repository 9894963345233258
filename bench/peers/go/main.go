// SPDX-License-Identifier: ISC

// An echo server for lines: a goroutine for each connection.
//
// usage: go-echo PORT, with GOMAXPROCS set
package main

import (
	"bufio"
	"log"
	"net"
	"os"
)

// echo returns each line as it comes, one longer than the buffer in parts.
// Go sets TCP_NODELAY by itself.
func echo(conn net.Conn) {
	defer conn.Close()
	reader := bufio.NewReaderSize(conn, 16384)
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
		if _, err := conn.Write(line); err != nil {
			return
		}
	}
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: go-echo PORT")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Print(err)
			continue
		}
		go echo(conn)
	}
}
