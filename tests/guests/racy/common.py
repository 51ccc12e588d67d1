import socket, os, sys, subprocess, time, json, multiprocessing, threading, ctypes
def pick(addr='127.0.0.1', fam=socket.AF_INET, typ=socket.SOCK_STREAM, read=True):
    s = socket.socket(fam, typ); s.bind((addr, 0)); p = s.getsockname()[1]; s.close(); return p
TAKER = 'import socket,sys,os,time; s=socket.socket(socket.AF_INET, socket.SOCK_DGRAM if len(sys.argv)>2 else socket.SOCK_STREAM); s.bind(("127.0.0.1",0)); len(sys.argv)>2 or s.listen(); open(sys.argv[1],"w").write(str(os.getpid())); time.sleep(30)'
taker_process = None
def taker(udp=False):
    global taker_process
    try: os.unlink('taker.flag')
    except OSError: pass
    taker_process = subprocess.Popen([sys.executable, '-c', TAKER, 'taker.flag'] + (['udp'] if udp else []))
    while not (os.path.exists('taker.flag') and os.path.getsize('taker.flag')): time.sleep(0.01)
def use(p, addr='127.0.0.1', fam=socket.AF_INET, typ=socket.SOCK_STREAM):
    s = socket.socket(fam, typ)
    try: s.bind((addr, p)); print('bound', p)
    except OSError as e: print('LOST', p, e)
def done():
    taker_process.kill(); taker_process.wait()
