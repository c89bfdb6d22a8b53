import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** A script that completes the commands and options of a program in a shell. */
export function completionScript(program: Command, shell: Shell): string {
  const name = program.name();
  const words = wordsOf(program);
  if (shell === 'fish') {
    return words
      .flatMap(({ path, next }) => {
        const where = path.length === 0 ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${path.join(' ')}`;
        return next.map(word => `complete -c ${name} -f -n '${where}' -a '${word}'`);
      })
      .join('\n');
  }
  const cases = words.map(({ path, next }) => `    '${path.join(' ')}') words='${next.join(' ')}' ;;`);
  const bash = [
    `_${name.replaceAll('-', '_')}() {`,
    '  local words path="" index',
    '  for ((index = 1; index < COMP_CWORD; index++)); do',
    '    [[ ${COMP_WORDS[index]} == -* ]] || path="${path:+$path }${COMP_WORDS[index]}"',
    '  done',
    '  case "$path" in',
    ...cases,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))',
    '}',
    `complete -o default -F _${name.replaceAll('-', '_')} ${name}`,
  ];
  return (shell === 'zsh' ? ['autoload -U +X bashcompinit && bashcompinit', ...bash] : bash).join('\n');
}

interface Words {
  path: string[];
  /** What may come after it. */
  next: string[];
}

function wordsOf(command: Command, path: string[] = []): Words[] {
  const options = command.options.flatMap(({ long }) => long ?? []);
  const names = command.commands.map(child => child.name());
  const below = command.commands.flatMap(child => wordsOf(child, [...path, child.name()]));
  return [{ path, next: [...names, ...options, '--help'] }, ...below];
}
