/**
 * @param {string} name
 * @param {string[]} reasons why each way failed
 */
export function adviceOnMissing(name, reasons) {
  return `
${name} could not be found or started:
${reasons.map((reason) => `  - ${reason.trimEnd().replaceAll('\n', '\n      ')}`).join('\n')}

Sluice needs MariaDB 10.6+ or MySQL 8+, and Redis 6.2+ (or Valkey). Any one of these will do:
  Debian, Ubuntu   sudo apt-get install mariadb-server redis-server
  Fedora, RHEL     sudo dnf install mariadb-server redis
  Arch             sudo pacman -S mariadb redis
  Alpine           sudo apk add mariadb redis
  macOS            brew install mariadb redis
  Docker           install it with its compose plugin, and start it
  anything else    name servers that run already:
                     DATABASE_URL=mysql://user:password@host:3306/database
                     REDIS_URL=redis://:password@host:6379
They need not be started: Sluice runs its own copies, with their data in .sluice/, and stops them.
`.trim();
}
