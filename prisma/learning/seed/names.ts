import type { Draws } from './draws.ts'

/** Invented people: given and family names of many places, paired at random, so that no name stands for anybody. */
const given = {
  F: `Aaliyah Adaeze Aiko Alba Amina Anouk Astrid Ayesha Beatriz Bich Carmen Chiara Daniela Defne Dilnoza Ebba Efua Elif Emma
      Esther Fatou Freya Gabriela Grace Hana Ingrid Isha Jasmin Jia Kamala Katarzyna Laila Leilani Lerato Lin Lucia Mahsa
      Malia Marta Mei Mila Nadia Naomi Ngozi Nina Noor Olga Paloma Priya Rosa Saanvi Salma Sofia Tala Thandiwe Uma Vera
      Wanjiru Yara Yuki Zahra Zuzana`.split(/\s+/),
  M: `Abdul Adrian Ahmed Akira Alejandro Amadou Andrei Arjun Baraka Bao Bruno Caleb Carlos Chidi Daniel Dawit Diego Dmitri
      Elias Emeka Enzo Farid Felix Gael Hamza Haruto Hugo Ibrahim Ivan Jakub Jamal Jonas Jun Kai Karim Kofi Kwame Lars
      Leandro Liam Luca Mateo Matthias Minh Musa Nikhil Oliver Omar Pavel Rafael Ravi Samuel Sanjay Sione Stefan Tariq
      Thiago Tomas Viktor Wei Yusuf Zoltan`.split(/\s+/),
} as const

const family = `Abebe Acosta Adeyemi Ahmadi Almeida Andersson Aziz Banerjee Becker Bianchi Castro Chen Cohen Costa Dang
  Dias Diallo Dubois Eriksen Farah Fernandes Fischer Gallo Garcia Ghosh Gonzalez Gupta Hansen Haddad Herrera Horvath
  Hossain Huang Ibarra Ito Jansen Johnson Kamau Kaplan Kaya Khan Kim Kowalska Kruger Lam Larsen Lee Lopez Mahlangu Malik
  Martin Mbeki Mehta Mendoza Moreau Morris Mwangi Nakamura Ndiaye Nguyen Novak Nyberg Obi Okafor Olsen Osei Park Patel
  Pereira Petrov Pham Popescu Quispe Rahman Ramos Reyes Rossi Sato Schmidt Shah Sharma Silva Singh Smith Solis Suzuki
  Tanaka Tesfaye Torres Tran Usman Vargas Vasquez Virtanen Walker Wang Weber Williams Wong Yilmaz Zhang`.split(/\s+/)

const countries = ['US', 'GB', 'IN', 'BR', 'NG', 'DE', 'MX', 'KE', 'VN', 'PL', 'FR', 'ID'] as const
const shares = [22, 14, 13, 9, 8, 7, 6, 5, 5, 4, 4, 3] as const

export function drawPerson(draws: Draws): { name: string; gender: 'F' | 'M'; country: string } {
  const gender = draws.chance(0.52) ? 'F' : 'M'
  return {
    name: `${draws.pick(given[gender])} ${draws.pick(family)}`,
    gender,
    country: countries[draws.weighted(shares)]!,
  }
}
