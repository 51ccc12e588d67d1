// A dev server starts a worker. NODE_OPTIONS asks for the debugger in every Node process, on one number, so the
// worker is refused what its own parent has; it says so and goes on.
const { spawn } = require('child_process');

if (process.argv[2] !== 'worker') {
  let said = '';
  const worker = spawn(process.execPath, ['dev.js', 'worker'], { stdio: ['ignore', 'ignore', 'pipe'] });
  worker.stderr.on('data', (data) => { said += data; });
  worker.on('close', (status) => process.exit(/address already in use/.test(said) ? status : 99));
}
